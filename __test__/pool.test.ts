// Pools of sandboxes: clean state for every request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadedJSSandbox, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { collectUntil, until, virtualMachines } from './memory';
import { load, loadBody, loadWithHost, rejection, runProgram, STRETCH, thrown } from './sandbox';

const STATEFUL = `
  let count = 0;
  globalThis.seen = [];
  function handler({ act, id }) {
    seen.push(id);
    count++;
    switch (act) {
      case 'throw': throw new Error('as told');
      case 'spin': for (;;);
      case 'hoard': for (const all = []; ; ) all.push(new Array(1000).fill(0));
      case 'pollute': Object.prototype.polluted = id; globalThis.console = globalThis.Date = null; break;
      case 'print': console.log(id); break;
    }
    return { id, count, seen, polluted: typeof {}.polluted };
  }
`;

async function statefulPool(size: number, maxQueue?: number): Promise<SandboxPool> {
  const snapshot = await (await load({ f: STATEFUL })).snapshot();
  return new SandboxPool({ size, snapshot, maxQueue });
}

test('no request sees what another has left, whatever that does', async () => {
  const count = Number(process.env.POOL_REQUESTS ?? 500);
  const pool = await statefulPool(4, count);
  const acts = ['', 'throw', '', 'pollute', '', 'spin', '', 'hoard', '', ''];
  let next = 0;
  const request = async () => {
    for (let id = next++; id < count; id = next++) {
      const act = acts[id % acts.length];
      const limits = { wallClockTimeoutMs: act === 'spin' ? 20 : 60_000 * STRETCH };
      const result = pool.callHandler('f', { act, id }, limits);
      if (act === 'throw') await rejection('ERR_GUEST_ERROR', result);
      else if (act === 'spin') await rejection('ERR_CANCELLED', result);
      else if (act === 'hoard') assert.match((await rejection('ERR_GUEST_ERROR', result)).message, /memory/);
      else {
        const polluted = act === 'pollute' ? 'number' : 'undefined';
        assert.deepEqual(await result, { id, count: 1, seen: [id], polluted });
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, request));
  assert.equal(pool.waiting, 0);
  await pool.close();
});

test('a pool says how many sandboxes it has, how many are ready, and how many requests wait', async () => {
  const pool = await statefulPool(2);
  assert.equal(pool.size, 2);
  assert.ok(await until(() => pool.ready === 2));
  const calls = Array.from({ length: 5 }, () => rejection('ERR_CANCELLED', pool.callHandler('f', { act: 'spin' })));
  assert.deepEqual([pool.ready, pool.waiting], [0, 3]);
  for (let i = 0; i < 5; i++) {
    pool.interruptHandle.kill();
    await calls[i];
  }
  assert.deepEqual(await pool.callHandler('f', { id: 1 }), { id: 1, count: 1, seen: [1], polluted: 'undefined' });
  await pool.close();
});

test('requests are refused when too many wait', async () => {
  const pool = await statefulPool(1, 1);
  assert.ok(await until(() => pool.ready === 1));
  const limits = { wallClockTimeoutMs: 100 };
  const running = rejection('ERR_CANCELLED', pool.callHandler('f', { act: 'spin' }, limits));
  const waiting = pool.callHandler('f', { id: 2 });
  assert.match((await rejection('ERR_POOL_FULL', pool.callHandler('f', { id: 3 }))).message, /1 requests/);
  await running;
  assert.equal((await waiting).id, 2);
  await pool.close();
});

test('a pool prepares its sandboxes by a function, with host functions of their own', async () => {
  let made = 0;
  const lines: string[] = [];
  const pool = new SandboxPool({
    size: 3,
    prepare: async () => {
      const number = ++made;
      const proto = await new SandboxBuilder().setHostPrintFn((_, text) => lines.push(text)).build();
      proto.register('test', 'double', async (n: number) => 2 * n);
      const sandbox = await proto.loadRuntime();
      sandbox.addHandler(
        'f',
        `import { double } from 'host:test'; let n = ${number};
         function handler(event) { console.log('call', event); return [double(event), n++ <= 3]; }`,
      );
      return sandbox.getLoadedSandbox();
    },
  });
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(await pool.callHandler('f', i), [2 * i, true]);
    assert.equal(lines.at(-1), `call ${i}`);
  }
  assert.equal(made, 3);
  assert.ok((pool.lastCallStats?.wallClockMs ?? 0) > 0);
  await pool.close();
});

test('what prepare gives belongs to the pool', async () => {
  let given: LoadedJSSandbox | undefined;
  const pool = new SandboxPool({
    size: 1,
    prepare: async () => {
      given = await load({ f: STATEFUL });
      return given;
    },
  });
  assert.equal((await pool.callHandler('f', { id: 1 })).count, 1);
  assert.ok(given);
  assert.match((await rejection('ERR_CONSUMED', given.callHandler('f', {}))).message, /SandboxPool/);
  await pool.close();
});

test('a pool whose sandboxes cannot be made says why, and the next request tries again', async () => {
  let isBroken = true;
  const broken: unknown[] = [
    () => {
      throw new Error('out of order');
    },
    async () => {
      throw 'out of order';
    },
    () => 'out of order',
    async () => undefined,
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      get then() {
        throw new Error('out of order');
      },
    }),
  ];
  for (const failing of broken as (() => never)[]) {
    isBroken = true;
    const pool = new SandboxPool({ size: 2, prepare: () => (isBroken ? failing() : load({ f: STATEFUL })) });
    const error = await rejection('ERR_POOL_PREPARE', pool.callHandler('f', { id: 1 }));
    assert.match(error.message, /out of order|LoadedJSSandbox/);
    isBroken = false;
    assert.equal((await pool.callHandler('f', { id: 2 })).id, 2);
    await pool.close();
  }
});

test('close() refuses what waits, lets run what runs, and gives the memory back', async () => {
  const before = virtualMachines();
  const pool = await statefulPool(2);
  assert.ok(await until(() => pool.ready === 2));
  const running = [1, 2].map(() =>
    rejection('ERR_CANCELLED', pool.callHandler('f', { act: 'spin' }, { wallClockTimeoutMs: 200 })),
  );
  const waiting = rejection('ERR_CONSUMED', pool.callHandler('f', {}));
  let isClosed = false;
  const closing = pool.close().then(() => (isClosed = true));
  await waiting;
  assert.equal(isClosed, false);
  await Promise.all(running);
  await closing;
  await pool.close();
  await rejection('ERR_CONSUMED', pool.callHandler('f', {}));
  assert.deepEqual([pool.ready, pool.waiting], [0, 0]);
  assert.ok(await collectUntil(() => virtualMachines() <= before));
});

test('a pool that nobody holds any more gives its memory back, after serving what was asked for', async () => {
  const before = virtualMachines();
  const calls = await (async () => {
    const pool = await statefulPool(2);
    return [1, 2, 3, 4].map((id) => pool.callHandler('f', { id }));
  })();
  assert.deepEqual(
    (await Promise.all(calls)).map(({ id }) => id),
    [1, 2, 3, 4],
  );
  assert.ok(await collectUntil(() => virtualMachines() <= before));
});

test('a host function may not wait for the pool whose call it serves', async () => {
  const pools: SandboxPool[] = [];
  const prepare = () =>
    loadWithHost(
      { again: async () => pools[0]?.callHandler('f', {}) },
      'try { return host.again(); } catch (e) { return e.message; }',
    );
  const pool = new SandboxPool({ size: 2, prepare });
  pools.push(pool);
  assert.match(await pool.callHandler('f', {}), /host function/);
  await pool.close();
});

test('options and arguments are checked', async () => {
  const snapshot = await (await load({ f: STATEFUL })).snapshot();
  const prepare = () => load({ f: STATEFUL });
  for (const options of [
    undefined,
    null,
    {},
    { snapshot },
    { size: 1, snapshot, prepare },
    { size: 0, snapshot },
    { size: 1025, snapshot },
    { size: 1.5, snapshot },
    { size: '1', snapshot },
    { size: 1, snapshot: {} },
    { size: 1, prepare: {} },
    { size: 1, snapshot, maxQueue: -1 },
    { size: 1, snapshot, maxQueue: 1e7 },
    { size: 1, snapshot, maxqueue: 1 },
    { size: 1, snapshot, hostPrintFn: 'print' },
    { size: 1, snapshot, maxOutputValues: 0 },
    { size: 1, prepare, hostPrintFn: () => {} },
    { size: 1, prepare, maxOutputValues: 10 },
  ]) {
    thrown('ERR_INVALID_ARG', () => new SandboxPool(options as never));
  }
  const pool = new SandboxPool({ size: 1, snapshot });
  snapshot.dispose();
  thrown('ERR_CONSUMED', () => new SandboxPool({ size: 1, snapshot }));
  await rejection('ERR_INVALID_ARG', pool.callHandler(1 as never, {}));
  await rejection(
    'ERR_INVALID_ARG',
    pool.callHandler('f', () => {}),
  );
  await rejection('ERR_INVALID_ARG', pool.callHandler('f', {}, { timeout: 1 } as never));
  await rejection('ERR_HANDLER_NOT_FOUND', pool.callHandler('g', {}));
  assert.deepEqual(await pool.callHandler('f', { id: Uint8Array.of(1) }), {
    id: Uint8Array.of(1),
    count: 1,
    seen: [Uint8Array.of(1)],
    polluted: 'undefined',
  });
  await pool.close();
});

test('lines of a pool of a snapshot go to its callback, before the result, and without one to the output', async () => {
  const loaded = await loadBody('console.log(event, 1); console.error(event, 2); return event;');
  const snapshot = await loaded.snapshot();
  const seen: unknown[] = [];
  const hostPrintFn = (level: string, text: string) => void seen.push([level, text]);
  const pool = new SandboxPool({ size: 2, snapshot, hostPrintFn, maxOutputValues: 1 });
  await Promise.all(['a', 'b', 'c'].map(async (name) => seen.push(await pool.callHandler('f', name))));
  for (const name of ['a', 'b', 'c']) {
    const own = seen.filter((line) => String(line).includes(name));
    assert.deepEqual(own, [['info', `${name} 1`], ['error', `${name} 2`], name]);
  }
  const error = await rejection('ERR_PAYLOAD_TOO_LARGE', pool.callHandler('f', ['two']));
  assert.deepEqual([error.size, error.limit, error.unit], [2, 1, 'values']);
  await pool.close();

  const program = `
    const { SandboxPool } = require('@hyperlight/js-host-api');
    (async () => {
      const loaded = await sandboxes.loadBody('console.log(event);');
      const pool = new SandboxPool({ size: 1, snapshot: await loaded.snapshot() });
      await pool.callHandler('f', 'line');
      await pool.close();
    })();
  `;
  assert.equal(await runProgram(program), 'line\n');
});

test('a process may end with a pool open and requests running and waiting', async () => {
  const program = `
    const { SandboxPool } = require('@hyperlight/js-host-api');
    (async () => {
      const loaded = await sandboxes.loadBody('if (event) for (;;); return 1;');
      const pool = new SandboxPool({ size: 1, snapshot: await loaded.snapshot() });
      console.log(await pool.callHandler('f', false));
      for (let i = 0; i < 3; i++) pool.callHandler('f', true).catch(() => {});
      setTimeout(() => process.exit(), 50);
    })();
  `;
  assert.equal(await runProgram(program), '1\n');
  assert.equal(
    await runProgram(program.replace('for (let i = 0; i < 3; i++)', 'if (false)').replace('setTimeout', '(() => {})')),
    '1\n',
  );
});

test('a pool is closed at the end of a scope', async () => {
  const before = virtualMachines();
  const pool = await statefulPool(1);
  assert.equal((await pool.callHandler('f', { id: 1 })).id, 1);
  await pool[Symbol.asyncDispose]();
  await rejection('ERR_CONSUMED', pool.callHandler('f', {}));
  assert.ok(await collectUntil(() => virtualMachines() <= before));
});
