// Programs that are run once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Receipt, type RunOptions, run, SandboxBuilder, SandboxPool, sync } from '@hyperlight/js-host-api';
import { until } from './memory';
import { load, rejection, runProgram, STRETCH } from './sandbox';

const pool = new SandboxPool({ size: 2 });
after(() => pool.close());

async function value(source: string, options?: RunOptions): Promise<unknown> {
  return (await pool.run(source, options)).value;
}

/** The receipt of an error. */
function receiptOf(error: Error): Receipt {
  const { receipt } = error as { receipt?: Receipt };
  assert.ok(receipt);
  return receipt;
}

test('a program is an expression, statements, or a module', async () => {
  for (const source of [
    'input.a + 1;',
    '(input) => input.a + 1',
    'const { a } = await input; return a + 1',
    'function handler(event) { return event.a + 1 }',
    'export default async ({ a }) => a + 1',
    'export default input.a + 1',
  ]) {
    assert.equal(await value(source, { input: { a: 1 } }), 2, source);
  }
  assert.equal(await value(''), undefined);
  assert.equal(await value('typeof input'), 'undefined');
  assert.deepEqual(await value('input', { input: new Uint8Array([1, 2]) }), new Uint8Array([1, 2]));
});

test('each run has clean state', async () => {
  const source = 'globalThis.count = (globalThis.count ?? 0) + 1; Object.prototype.x = 1; return [count, {}.x]';
  const values = await Promise.all(Array.from({ length: 20 }, () => value(source)));
  for (const found of values) assert.deepEqual(found, [1, 1]);
  await rejection('ERR_GUEST_ERROR', pool.run('throw new Error("no")'));
  await rejection('ERR_CANCELLED', pool.run('for (;;);', { wallClockTimeoutMs: 20 }));
  assert.equal(await value('typeof count'), 'undefined');
});

test('functions of a run are globals and imports, asynchronous unless they are marked', async () => {
  const find = async (id: number) => ({ name: `row ${id}` });
  const functions = { db: { find }, math: sync({ add: (a: number, b: number) => a + b }) };
  assert.equal(await value('(await db.find(1)).name', { functions }), 'row 1');
  assert.equal(await value('math.add(1, 2) + math.add(3, 4)', { functions }), 10);
  const names = "import { find } from 'host:db'; export default () => Promise.all([1, 2].map(find))";
  assert.deepEqual(await value(names, { functions }), [{ name: 'row 1' }, { name: 'row 2' }]);
  const caught = 'try { await db.find() } catch (error) { return [error.name, error.message, error.code] }';
  const failing = async () => {
    throw Object.assign(new Error('no'), { code: 'ENOENT' });
  };
  assert.deepEqual(await value(caught, { functions: { db: { find: failing } } }), [
    'HostFunctionError',
    'no',
    'ENOENT',
  ]);
});

test('a run can call what it was given and nothing else, whatever runs beside it', async () => {
  let calls = 0;
  const secret = async () => ++calls;
  const theirs = pool.run('await new Promise((resolve) => setTimeout(resolve, 50)); return db.secret()', {
    functions: { db: { secret } },
  });
  const attempts = `
    const attempts = [() => db.secret(), () => other.secret(), async () => (await import('host:db')).secret()];
    return Promise.all(attempts.map(async (attempt) => { try { return await attempt() } catch { return 'no' } }));
  `;
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await value(attempts, { functions: { other: { open: async () => 1 } } }), ['no', 'no', 'no']);
  }
  assert.equal((await theirs).value, 1);
  assert.equal(calls, 1);
});

test('only own enumerable properties count', async () => {
  class Tools {
    own = async () => 1;
    inherited() {
      return 2;
    }
  }
  const hidden = Object.defineProperty({ shown: async () => 1 }, 'hidden', { value: async () => 2 });
  const source = 'return [Object.keys(tools), Object.keys(more)]';
  const functions = { tools: new Tools() as never, more: hidden };
  assert.deepEqual(await value(source, { functions }), [['own'], ['shown']]);
});

test('modules of a run can be imported', async () => {
  const modules = { tools: "import { one } from './one'; export const two = one + one", one: 'export const one = 1' };
  assert.equal(await value("import { two } from 'tools'; export default two", { modules }), 2);
  assert.equal(await value("return (await import('tools')).two", { modules }), 2);
  const error = await rejection('ERR_COMPILE', pool.run("import 'tools'", { modules: { tools: 'let = 1' } }));
  assert.deepEqual([error.file, error.line, error.column], ['tools', 1, 5]);
  await rejection('ERR_COMPILE', pool.run("import 'tools'"));
});

test('a syntax error has its place in the source', async () => {
  for (const [source, line, column] of [
    ['const a = 1;\nconst b = ;', 2, 11],
    ['const a = 1;\nreturn a +;', 2, 11],
    ["import 'crypto';\nexport default (;", 2, 17],
    ['} evil(); {', 1, 3],
  ] as const) {
    const error = await rejection('ERR_COMPILE', pool.run(source));
    assert.deepEqual([error.file, error.line, error.column], ['run', line, column], source);
  }
  const error = await rejection('ERR_GUEST_ERROR', pool.run('const a = null;\n\nreturn a.b'));
  assert.match(error.guestStack ?? '', /run:3:/);
});

test('a receipt says what a run has done', async () => {
  const source = `
    console.log('begun');
    console.error('more');
    await db.find(1);
    await Promise.all([db.find(2), db.count()]);
    return 'abc';
  `;
  const functions = { db: { find: async () => 1, count: async () => 2, unused: async () => 3 } };
  const { receipt } = await pool.run(source, { input: [1], functions });
  assert.deepEqual(
    receipt.console.map(({ level, text }) => [level, text]),
    [
      ['info', 'begun'],
      ['error', 'more'],
    ],
  );
  assert.ok((receipt.console[0]?.atMs ?? 0) <= (receipt.console[1]?.atMs ?? 0));
  assert.deepEqual(Object.keys(receipt.hostCalls).sort(), ['db.count', 'db.find']);
  assert.equal(receipt.hostCalls['db.find']?.count, 2);
  assert.ok((receipt.hostCalls['db.find']?.totalMs ?? 0) > 0);
  assert.deepEqual([receipt.inputBytes, receipt.outputBytes, receipt.droppedLines], [3, 5, 0]);
  assert.equal(receipt.terminatedBy, null);
  assert.ok(receipt.wallClockMs >= (receipt.cpuTimeMs ?? 0));
  assert.ok(receipt.suspendedMs > 0 && receipt.suspendedMs <= receipt.wallClockMs);
  // The first, one for each of two lines, and those with results.
  assert.ok(receipt.entries >= 5 && receipt.entries <= 6, `${receipt.entries}`);
  assert.equal(receipt.guestImage, SandboxBuilder.guestImage.hash);
});

test('errors have the receipt as well', async () => {
  const failed = receiptOf(await rejection('ERR_GUEST_ERROR', pool.run('console.log(1); throw 1')));
  assert.equal(failed.console[0]?.text, '1');
  const functions = { db: { find: async () => 1 } };
  const options = { functions, wallClockTimeoutMs: 100 * STRETCH };
  const stopped = receiptOf(await rejection('ERR_CANCELLED', pool.run('await db.find(); for (;;);', options)));
  assert.equal(stopped.terminatedBy, 'wall-clock');
  assert.equal(stopped.hostCalls['db.find']?.count, 1);
  receiptOf(await rejection('ERR_COMPILE', pool.run('let = 1')));
});

test('lines beyond the limit are counted', async () => {
  const source = 'for (let i = 0; i < 100; i++) console.log("0123456789")';
  const { receipt } = await pool.run(source, { maxConsoleBytes: 420 });
  assert.deepEqual([receipt.console.length, receipt.droppedLines], [10, 90]);
  const nothing = (await pool.run(source, { maxConsoleBytes: 0 })).receipt;
  assert.deepEqual([nothing.console.length, nothing.droppedLines], [0, 100]);
});

test('bad arguments are refused', async () => {
  const failing = () => {
    throw new Error('as told');
  };
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const find = async () => 1;
  const wrong: [unknown, unknown?][] = [
    [1],
    [undefined],
    ['1', 1],
    ['1', { unknown: 1 }],
    ['1', { input: () => 1 }],
    ['1', { input: 1n }],
    ['1', { input: Symbol('no') }],
    ['1', { input: cycle }],
    ['1', { input: { toJSON: failing } }],
    ['1', { input: Object.defineProperty({}, 'a', { get: failing, enumerable: true }) }],
    ['1', { maxConsoleBytes: -1 }],
    ['1', { functions: 1 }],
    ['1', { functions: { db: 1 } }],
    ['1', { functions: { db: { find: 1 } } }],
    ['1', { functions: { '': { find: async () => 1 } } }],
    ['1', { functions: { ['x'.repeat(257)]: { find } } }],
    ['1', { functions: { db: { 'fi\nnd': find } } }],
    ['1', { functions: { db: null } }],
    ['1', { functions: { db: Object.defineProperty({}, 'find', { get: failing, enumerable: true }) } }],
    ['1', { functions: Object.defineProperty({}, '__proto__', { value: { find }, enumerable: true }) }],
    ['1', { functions: { constructor: { find } } }],
    ['1', { functions: new Proxy({}, { ownKeys: failing }) }],
    [new String('1')],
    ['1', { modules: [1] }],
    ['1', { modules: Object.defineProperty({}, 'a', { get: failing, enumerable: true }) }],
    ['1', { modules: { './a': '' } }],
    ['1', { functions: { console: { log: async () => 1 } } }],
    ['1', { functions: { input: { f: async () => 1 } } }],
    ['1', { functions: { toString: { f: async () => 1 } } }],
    ['1', { modules: { a: 1 } }],
    ['1', { modules: { crypto: '' } }],
    ['1', { modules: { 'host:a': '' } }],
    [
      '1',
      {
        functions: {
          get db() {
            throw new Error('a getter');
          },
        },
      },
    ],
    [
      '1',
      {
        get functions() {
          throw new Error('a getter');
        },
      },
    ],
  ];
  for (const [source, options] of wrong) {
    await rejection('ERR_INVALID_ARG', pool.run(source as string, options as RunOptions));
  }
  // Nothing was run, so nothing is left of it, and functions of any other name can be called.
  await rejection('ERR_INVALID_ARG', pool.run('1', { functions: { db: { find, '': find } } }));
  const odd = { constructor: find, ['x'.repeat(256)]: find, 'a b': find };
  const source = 'return [await db.constructor(), await db["x".repeat(256)](), await globalThis["a b"]["a b"]()]';
  assert.deepEqual(await value(source, { functions: { db: odd, 'a b': odd } }), [1, 1, 1]);
  const large = await rejection('ERR_PAYLOAD_TOO_LARGE', pool.run(' '.repeat(2 ** 23 + 1)));
  assert.equal(large.limit, 2 ** 23);
  await rejection('ERR_PAYLOAD_TOO_LARGE', pool.run('1', { input: 'x'.repeat(2 ** 23) }));
  await rejection('ERR_PAYLOAD_TOO_LARGE', pool.run('1', { modules: { a: ' '.repeat(2 ** 23) } }));
  await rejection('ERR_INVALID_ARG', run(1 as never));
  assert.throws(() => sync(1 as never), { code: 'ERR_INVALID_ARG' });
});

test('a signal stops a run before it, while it waits, while it runs, and while the sandbox is made ready again', async () => {
  const small = new SandboxPool({ size: 1 });
  assert.ok(await until(() => small.ready === 1));
  await rejection('ERR_CANCELLED', small.run('1', { signal: AbortSignal.abort() }));
  assert.equal(small.ready, 1, 'no sandbox was used for it');

  const running = new AbortController();
  const waiting = new AbortController();
  let begun: () => void = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const first = small.run('await test.begun(); for (;;);', {
    functions: { test: { begun: async () => begun() } },
    signal: running.signal,
  });
  const second = small.run('1', { signal: waiting.signal });
  await hasBegun;
  waiting.abort();
  await rejection('ERR_CANCELLED', second);
  running.abort(new Error('enough'));
  const error = await rejection('ERR_CANCELLED', first);
  assert.match(String(error.cause), /enough/);
  // The sandbox is being put back now.
  const renewing = new AbortController();
  const third = rejection('ERR_CANCELLED', small.run('for (;;);', { signal: renewing.signal }));
  renewing.abort();
  await third;
  assert.equal((await small.run('1 + 1')).value, 2);
  await small.close();
  await rejection('ERR_CONSUMED', small.run('1'));
});

test('pools of a snapshot and of a function run programs too', async () => {
  const snapshot = await (await load({ f: 'globalThis.config = 7; function handler() {}' })).snapshot();
  const lines: string[] = [];
  const ofSnapshot = new SandboxPool({ size: 1, snapshot, hostPrintFn: (_, text) => lines.push(text) });
  const functions = { db: { find: async () => 1 } };
  const { value: found, receipt } = await ofSnapshot.run('console.log("x"); return config + await db.find()', {
    functions,
  });
  assert.deepEqual([found, lines, receipt.console[0]?.text], [8, ['x'], 'x']);
  await ofSnapshot.close();
  const ofFunction = new SandboxPool({ size: 1, prepare: () => load({ f: 'function handler() { return 1 }' }) });
  const result = await ofFunction.run('console.log("y"); return await db.find()', { functions });
  assert.deepEqual([result.value, result.receipt.console[0]?.text], [1, 'y']);
  assert.equal(await ofFunction.callHandler('f', null), 1);
  await ofFunction.close();
});

test('a host function cannot run a program in the pool that waits for it', async () => {
  const again = () =>
    pool.run('1').then(
      () => 'run',
      (error: { code: string }) => error.code,
    );
  assert.equal(await value('test.again()', { functions: { test: { again } } }), 'ERR_REENTRANT');
});

test('a source may hold any characters, and its errors have their places in it', async () => {
  assert.equal(await value('"\u{1f600}".length'), 2);
  assert.equal(await value('"\ud800".length'), 1, 'what is no character is replaced by one');
  assert.equal(await value('return "a\u2028b".length // \r\n'), 3);
  for (const [source, line, column] of [
    ['\u{1f600}', 1, 1],
    ['const a = 1;\r\nconst b = ;', 2, 11],
    ['const a = 1;\nreturn 1 \0', 2, 10],
  ] as const) {
    const error = await rejection('ERR_COMPILE', pool.run(source));
    assert.deepEqual([error.file, error.line, error.column], ['run', line, column], JSON.stringify(source));
  }
});

test('run() needs no pool, and keeps no process alive', async () => {
  assert.equal((await run('input + 1', { input: 1 })).value, 2);
  await rejection('ERR_COMPILE', run('let = 1'));
  const program = `
    require('@hyperlight/js-host-api').run('console.log("only in the receipt"); return 40 + 2').then(({ value }) => console.log(value));
  `;
  assert.equal(await runProgram(program), '42\n');
});
