// What host functions know of the call that caused them: its asynchronous context, and what hostCall() says.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  type CallHandlerOptions,
  type HostCall,
  hostCall,
  type LoadedJSSandbox,
  type ProtoJSSandbox,
  run,
  SandboxBuilder,
  SandboxPool,
  sync,
} from '@hyperlight/js-host-api';
import { collectUntil } from './memory';
import { rejection, runProgram } from './sandbox';

const request = new AsyncLocalStorage<string>();

async function start(code: string, register: (proto: ProtoJSSandbox) => void) {
  const proto = await new SandboxBuilder().build();
  register(proto);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', code);
  return sandbox;
}

async function load(code: string, register: (proto: ProtoJSSandbox) => void): Promise<LoadedJSSandbox> {
  return (await start(code, register)).getLoadedSandbox();
}

/** Which request it is: at once, after an await, and after a timer. */
async function which() {
  const begun = request.getStore();
  await null;
  const awaited = request.getStore();
  await sleep(1);
  return [begun, awaited, request.getStore()];
}

/** Calls the functions of `which` that wait and those that do not, more than once and after a timer. */
const ASK = `
  import { now, later } from 'host:which';
  export async function handler() {
    const first = [now(), await later()];
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [third, fourth] = await Promise.all([later(), later()]);
    return [...first, third, fourth, now()];
  }
`;
const register = (proto: ProtoJSSandbox) => {
  proto.hostModule('which').register('now', which).registerAsync('later', which);
};
const asked = (name: string) => Array(5).fill([name, name, name]);

test('host functions run in the asynchronous context of the call that caused them', async () => {
  using sandbox = await load(ASK, register);
  const names = ['a', 'b', 'c'];
  // All of them are asked for before the first runs.
  const answers = names.map((name) => request.run(name, () => sandbox.callHandler('f', null)));
  const outside = sandbox.callHandler('f', null);
  assert.deepEqual(await Promise.all(answers), names.map(asked));
  assert.deepEqual(await outside, Array(5).fill([null, null, null]));
  assert.equal(request.getStore(), undefined);
});

test('so they do for requests of a pool that are served at the same time', async () => {
  const pool = new SandboxPool({ size: 3, prepare: () => request.run('prepare', () => load(ASK, register)) });
  const names = Array.from({ length: 12 }, (_, i) => `request ${i}`);
  const answers = names.map((name) => request.run(name, () => pool.callHandler('f', null)));
  assert.deepEqual(await Promise.all(answers), names.map(asked));
  await pool.close();
});

test('so do the functions of a run', async () => {
  const names = ['a', 'b', 'c'];
  const one = { functions: { math: { later: which }, which: sync({ now: which }) } };
  const runs = names.map((name) =>
    request.run(name, async () => (await run('Promise.all([math.later(), which.now()])', one)).value),
  );
  assert.deepEqual(
    await Promise.all(runs),
    names.map((name) => asked(name).slice(0, 2)),
  );
});

test('so they do while modules are evaluated', async () => {
  const code = `
    import { now, later } from 'host:which';
    const seen = [now(), await later()];
    export const handler = () => seen;
  `;
  const sandbox = await start(code, register);
  using loaded = await request.run('evaluation', () => sandbox.getLoadedSandbox());
  assert.deepEqual(await request.run('call', () => loaded.callHandler('f', null)), asked('evaluation').slice(0, 2));
});

test('what their results do while they become JSON, and thenables, run there too', async () => {
  using sandbox = await load(
    `import { json, thenable } from 'host:which';
     export const handler = async () => [await json(), await thenable()];`,
    (proto) => {
      const module = proto.hostModule('which');
      module.register('json', () => ({ toJSON: () => request.getStore() }));
      module.registerAsync('thenable', () => ({
        // biome-ignore lint/suspicious/noThenProperty: it is a thenable
        then: (settle: (value: unknown) => void) => settle(request.getStore()),
      }));
    },
  );
  assert.deepEqual(await request.run('a', () => sandbox.callHandler('f', null)), ['a', 'a']);
});

test('a call that a host function makes has the context of that place, and that of its caller is left alone', async () => {
  using inner = await load(ASK, register);
  using outer = await load(
    `import { nested, now } from 'host:which';
     export const handler = async () => [now(), await nested(), now()];`,
    (proto) => {
      register(proto);
      proto.registerAsync('which', 'nested', async () => {
        const same = await inner.callHandler('f', null);
        const other = await request.run('inner', () => inner.callHandler('f', null));
        return [same, other, request.getStore()];
      });
    },
  );
  const [before, nested, after] = await request.run('outer', () => outer.callHandler('f', null));
  assert.deepEqual([before, after], asked('outer').slice(0, 2));
  assert.deepEqual(nested, [asked('outer'), asked('inner'), 'outer']);
});

test('so it is in worker threads', async () => {
  const worker = new Worker(join(__dirname, 'caller-worker.js'));
  const [answer] = await once(worker, 'message');
  assert.deepEqual(answer, [
    ['a', { id: 1 }, 'which', 'ask'],
    ['b', { id: 2 }, 'which', 'ask'],
  ]);
});

test('so it is where a program cannot ask for built-in modules by name', async () => {
  const program = `
    const storage = new (require('node:async_hooks').AsyncLocalStorage)();
    sandboxes.loadWithHost({ ask: () => storage.getStore() }, 'return host.ask();').then(async (loaded) => {
      const calls = ['a', 'b'].map((name) => storage.run(name, () => loaded.callHandler('f', {})));
      console.log(...(await Promise.all(calls)));
    });
  `;
  const output = await runProgram(program, '--require', join(__dirname, 'no-builtin-modules.js'));
  assert.equal(output, 'a b\n');
});

/** A sandbox whose host functions `now` and `later` note what `hostCall()` gives, and then do something. */
async function noting(code: string, act: () => unknown = () => {}) {
  const calls: HostCall[] = [];
  const note = async () => {
    await null;
    calls.push(hostCall() ?? assert.fail('it is in a host call'));
    return act();
  };
  const sandbox = await start(`import { now, later } from 'host:notes'; ${code}`, (proto) => {
    proto.hostModule('notes').register('now', note).registerAsync('later', note);
  });
  return { sandbox, calls };
}

test('hostCall() gives the context of the call, and the function that it calls', async () => {
  const { sandbox, calls } = await noting('export const handler = async () => { now(); await later(); };');
  using loaded = await sandbox.getLoadedSandbox();
  for (const context of [{ user: 'ada' }, 'text', 0, null, undefined, Symbol('s'), () => {}]) {
    await loaded.callHandler('f', null, { context });
    const [now, later] = calls.splice(0);
    assert.ok(now && later);
    assert.equal(now.context, context);
    assert.equal(later.context, context);
    assert.deepEqual([now.module, now.name, later.module, later.name], ['notes', 'now', 'notes', 'later']);
    assert.equal(now.signal, later.signal);
  }
  await loaded.callHandler('f', null);
  assert.equal(calls[0]?.context, undefined);
  assert.equal(hostCall(), undefined);
});

test('evaluations, requests of pools and runs have contexts too', async () => {
  const { sandbox, calls } = await noting('now(); export const handler = async () => { now(); };');
  const loaded = await sandbox.getLoadedSandbox({ context: 1 });
  const pool = new SandboxPool({ size: 1, prepare: () => loaded });
  await pool.callHandler('f', null, { context: 2 });
  await pool.callHandlerWithStats('f', null, { context: 3 });
  assert.deepEqual(
    calls.map(({ context }) => context),
    [1, 2, 3],
  );
  const functions = { db: { find: () => [hostCall()?.context, hostCall()?.module, hostCall()?.name] } };
  const { value } = await pool.run('db.find()', { functions, context: 4 });
  assert.deepEqual(value, [4, 'db', 'find']);
  assert.deepEqual((await run('db.find()', { functions, context: 5 })).value, [5, 'db', 'find']);
  await pool.close();
});

test('of nested calls hostCall() means the innermost', async () => {
  const { sandbox, calls } = await noting('export const handler = async () => { now(); };');
  using inner = await sandbox.getLoadedSandbox();
  using outer = await load(
    "import { nested } from 'host:outer'; export const handler = () => nested();",
    (proto) =>
      void proto.registerAsync('outer', 'nested', async () => {
        await inner.callHandler('f', null, { context: 'inner' });
        return [hostCall()?.context, hostCall()?.name];
      }),
  );
  assert.deepEqual(await outer.callHandler('f', null, { context: 'outer' }), ['outer', 'nested']);
  assert.equal(calls[0]?.context, 'inner');
});

test('the signal of a host call is aborted when the guest has ended its call, and not before', async () => {
  const seen: boolean[] = [];
  const { sandbox, calls } = await noting(
    `export async function handler(how) {
       now();
       await later();
       if (how === 'throw') throw new Error('no');
       if (how === 'spin') for (;;);
       if (how === 'wait') await new Promise((resolve) => setTimeout(resolve, 3_600_000));
     }`,
    () => void seen.push(hostCall()?.signal.aborted ?? assert.fail()),
  );
  using loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  const stop = new AbortController();
  const call = (how: string, options?: CallHandlerOptions) => loaded.callHandler('f', how, options);
  const ways: [string, () => Promise<unknown>][] = [
    ['fulfilled', () => call('return')],
    ['ERR_GUEST_ERROR', () => call('throw')],
    ['ERR_CANCELLED', () => call('spin', { cpuTimeoutMs: 50 })],
    ['ERR_CANCELLED', () => call('wait', { wallClockTimeoutMs: 100 })],
    ['ERR_CANCELLED', () => (setTimeout(() => stop.abort(), 100), call('wait', { signal: stop.signal }))],
    ['ERR_CANCELLED', () => (setTimeout(() => loaded.interruptHandle.kill(), 100), call('wait'))],
    ['ERR_CANCELLED', () => (setTimeout(() => loaded.dispose(), 100), call('wait'))],
  ];
  for (const [expected, begin] of ways) {
    const end = await begin().then(
      () => 'fulfilled',
      ({ code }) => code,
    );
    assert.equal(end, expected);
    const [now, later] = calls.splice(0);
    assert.ok(now?.signal.aborted && later?.signal.aborted);
    assert.equal(now.signal.reason.name, 'AbortError');
    assert.deepEqual(seen.splice(0), [false, false]);
    if (loaded.poisoned && loaded.status !== 'disposed') await loaded.restore(snapshot);
  }
});

test('a host function that outlives its call is told so, however late it asks', async () => {
  const told: unknown[] = [];
  let ended = () => {};
  const isEnded = new Promise<void>((resolve) => (ended = resolve));
  // What is called last is called on the host after the others.
  const code = `
    import { work, done } from 'host:late';
    export const handler = async () => { void work(); await done(); };
  `;
  using sandbox = await load(code, (proto) =>
    proto
      .hostModule('late')
      .registerAsync('done', () => {})
      .registerAsync('work', async () => {
        const early = hostCall() ?? assert.fail();
        early.signal.addEventListener('abort', () => told.push('aborted'));
        await isEnded;
        told.push(early.signal.aborted, hostCall()?.signal.aborted, hostCall()?.context);
      }),
  );
  using other = await load(code, (proto) =>
    proto
      .hostModule('late')
      .registerAsync('done', () => {})
      .registerAsync('work', async () => {
        await isEnded;
        told.push(hostCall()?.signal.aborted);
      }),
  );
  await sandbox.callHandler('f', null, { context: 7 });
  await other.callHandler('f', null);
  assert.deepEqual(told, ['aborted']);
  ended();
  await sleep(1);
  assert.deepEqual(told, ['aborted', true, true, 7, true]);
});

test('a context that cannot be had is refused, and nothing is begun', async () => {
  const { sandbox, calls } = await noting('now(); export const handler = async () => { now(); };');
  const options = {
    get context() {
      throw new Error('no context');
    },
  };
  assert.match((await rejection('ERR_INVALID_ARG', sandbox.getLoadedSandbox(options))).message, /no context/);
  assert.equal(calls.length, 0);
  using loaded = await sandbox.getLoadedSandbox();
  assert.equal(calls.splice(0).length, 1);
  await rejection('ERR_INVALID_ARG', loaded.callHandler('f', null, options));
  await rejection('ERR_INVALID_ARG', run('1', options));
  assert.equal(calls.length, 0);
  assert.equal(loaded.lastCallStats, null);
});

test('what a call was given is not kept once it has ended', async () => {
  using sandbox = await load("import { ask } from 'host:which'; export const handler = () => ask();", (proto) =>
    proto.register('which', 'ask', () => hostCall()?.signal.aborted),
  );
  const given: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) {
    const [context, store] = [{ i }, { i }];
    given.push(new WeakRef(context), new WeakRef(store));
    const storage = new AsyncLocalStorage<object>();
    assert.equal(await storage.run(store, () => sandbox.callHandler('f', null, { context })), false);
  }
  // The last one may still be on the stack.
  assert.ok(await collectUntil(() => given.filter((ref) => ref.deref() !== undefined).length <= 2));
});

test('a circle of waits that leads over an evaluation of modules is refused', async () => {
  let outer: LoadedJSSandbox | undefined;
  const inner = await start(
    "import { back } from 'host:circle'; await back(); export const handler = () => 1;",
    (proto) => proto.registerAsync('circle', 'back', () => outer?.callHandler('f', null)),
  );
  outer = await load("import { evaluate } from 'host:circle'; export const handler = () => evaluate();", (proto) =>
    proto.registerAsync('circle', 'evaluate', async () => {
      await inner.getLoadedSandbox();
    }),
  );
  const error = await rejection('ERR_GUEST_ERROR', outer.callHandler('f', null, { wallClockTimeoutMs: 60_000 }));
  assert.match(error.message, /callHandler/);
  assert.equal((error as { guestCode?: string }).guestCode, 'ERR_COMPILE');
  outer.dispose();
  inner.dispose();
});
