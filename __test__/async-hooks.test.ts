// `async_hooks` in guests: each program gives what it gives in Node.js.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

const HEAD = `const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
const als = new AsyncLocalStorage();
const other = new AsyncLocalStorage();
const log = [];
const note = (name) => log.push([name, als.getStore() ?? null, other.getStore() ?? null]);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** Bodies of async functions. What they note, and return, is compared. */
const PROGRAMS: Record<string, string> = {
  'run and exit': `
    note('outside');
    const result = als.run(1, (a, b) => { note('in'); als.run(2, () => note('inner')); note('in again');
      als.exit(() => note('exited')); return a + b; }, 3, 4);
    note('after'); return result;`,
  'run that throws': `try { als.run(1, () => { throw new Error('no'); }); } catch { note('caught'); }`,
  'await of promises, values and nothing': `
    await als.run(1, async () => { await null; note('value'); await Promise.resolve(2); note('promise');
      await sleep(1); note('timer'); await (async () => 1)(); note('function'); await undefined; note('undefined'); });
    note('outside');`,
  'several at once': `
    await Promise.all([1, 2, 3].map((n) => als.run(n, async () => {
      for (let i = 0; i < 3; i++) { await sleep(4 - n); note('step ' + i); await null; note('then ' + i); } })));
    log.sort(); note('outside');`,
  'interleaved by microtasks': `
    const task = (n) => als.run(n, async () => { for (let i = 0; i < 4; i++) { await null; note(i); } });
    await Promise.all([task('a'), task('b'), task('c')]); note('outside');`,
  'a promise of outside': `
    let resolve; const shared = new Promise((r) => { resolve = r; });
    const waiting = [1, 2].map((n) => als.run(n, async () => { await shared; note('await'); }));
    als.run(3, () => shared.then(() => note('then')));
    als.run(4, () => resolve()); await Promise.all(waiting); await null; note('outside');`,
  'then, catch and finally': `
    await als.run(1, () => Promise.resolve().then(() => note('then')).then(() => { throw new Error('a'); })
      .catch(() => note('catch')).finally(() => note('finally')).then(() => note('last')));
    note('outside');`,
  'a rejected promise': `
    const failed = Promise.reject(new Error('a')); failed.catch(() => {});
    await als.run(1, async () => { try { await failed; } catch { note('caught'); } await null; note('later'); });
    await als.run(2, async () => { try { await sleep(1).then(() => { throw 1; }); } catch { note('caught'); } });
    note('outside');`,
  'all, race, any and allSettled': `
    await als.run(1, async () => { await Promise.all([sleep(1), 2]); note('all'); await Promise.race([sleep(1)]); note('race');
      await Promise.any([sleep(1)]); note('any'); await Promise.allSettled([sleep(1), Promise.reject(1)]); note('settled'); });
    note('outside');`,
  timers: `
    await new Promise((done) => als.run(1, () => { setTimeout(() => { note('timeout'); setImmediate(() => { note('immediate');
      queueMicrotask(() => { note('microtask'); process.nextTick(() => { note('tick'); done(); }); }); }); }, 1); }));
    note('outside');`,
  interval: `
    await new Promise((done) => als.run(1, () => { let n = 0; const id = setInterval(() => { note('interval');
      if (++n === 3) { clearInterval(id); done(); } }, 1); }));`,
  'what was put off outside': `
    const tasks = [new Promise((done) => setTimeout(() => { note('timeout'); done(); }, 3)),
      new Promise((done) => setImmediate(() => { note('immediate'); done(); })),
      new Promise((done) => queueMicrotask(() => { note('microtask'); done(); })),
      Promise.resolve().then(() => note('then'))];
    als.run(1, () => {}); await Promise.all(tasks); note('outside');`,
  enterWith: `
    await (async () => { als.enterWith(1); note('entered'); await null; note('awaited'); als.enterWith(2); await sleep(1);
      note('later'); })();`,
  'enterWith in a timer': `
    await new Promise((done) => setTimeout(() => { als.enterWith(1); note('in'); setTimeout(() => { note('inner'); done(); }, 1); }, 1));
    await new Promise((done) => setTimeout(() => { note('other'); done(); }, 1));`,
  'two storages': `
    await als.run(1, () => other.run('a', async () => { note('both'); await null; note('both');
      als.exit(() => note('one')); await other.run('b', async () => { await sleep(1); note('changed'); }); note('back'); }));
    note('outside');`,
  disable: `
    als.run(1, () => { note('in'); als.disable(); note('disabled'); als.run(2, () => note('again')); });
    await als.run(3, async () => { await null; note('enabled'); });`,
  'bind and snapshot': `
    const bound = als.run(1, () => AsyncLocalStorage.bind((n) => { note('bound'); return n; }));
    const snapshot = als.run(2, () => AsyncLocalStorage.snapshot());
    const results = [bound(5), snapshot((n) => { note('snapshot'); return n + 1; }, 6)];
    als.run(3, () => { bound(0); snapshot(() => note('snapshot')); }); note('outside'); return [results, bound.length];`,
  AsyncResource: `
    const resource = als.run(1, () => new AsyncResource('TEST'));
    const result = resource.runInAsyncScope(function (n) { note('scope'); return [this.a, n]; }, { a: 2 }, 3);
    const bound = resource.bind(function () { note('bound'); return this?.b; }, { b: 4 });
    class Worker extends AsyncResource { constructor() { super('WORKER'); } work(f) { return this.runInAsyncScope(f, null); } }
    const worker = als.run(5, () => new Worker()); worker.work(() => note('worker'));
    const fixed = als.run(6, () => AsyncResource.bind(() => note('static'))); fixed();
    await resource.runInAsyncScope(async () => { await null; note('await'); });
    return [result, bound(), resource.emitDestroy() === resource, typeof resource.asyncId(), resource instanceof AsyncResource];`,
  'an async generator': `
    async function* numbers() { note('begin'); yield 1; note('next'); await null; yield 2; note('end'); }
    await als.run(1, async () => { for await (const n of numbers()) { await null; note('got ' + n); } });
    note('outside');`,
  'for await over promises': `
    await als.run(1, async () => { for await (const n of [Promise.resolve(1), 2]) note('got ' + n); });`,
  'something like a promise': `
    const thenable = { then(resolve) { note('then'); resolve(1); } };
    await als.run(1, async () => { note(await thenable); await sleep(1); note(await thenable); });
    await als.run(2, () => Promise.resolve(thenable).then((n) => note('value ' + n))); note('outside');`,
  'a promise of a subclass': `
    class Mine extends Promise {}
    await als.run(1, async () => { await Mine.resolve(1); note('await'); await new Mine((r) => setTimeout(r, 1)).then(() => note('then')); });
    note('outside'); return Mine.resolve(1) instanceof Mine;`,
  'what is settled already, and what nothing follows': `
    class Mine extends Promise {} const settled = Mine.resolve(1); const failed = Mine.reject(2); await settled;
    als.run(1, () => { Promise.resolve(1); Mine.resolve(2); (async () => 3)(); });
    settled.then(() => note('then'));
    als.run(2, () => { settled.then(() => note('kept')); failed.catch(() => note('failed')); settled.finally(() => note('finally')); });
    const own = Promise.resolve(4); own.constructor = Mine; await settled;
    als.run(3, () => { (async () => 5)(); own.then(() => note('own')); }); own.then(() => note('own outside'));
    await settled; await null; note('outside');
    return [Promise.prototype.then.name, Promise.prototype.then.length];`,
  'an async function returns a promise': `
    const inner = async () => { await sleep(1); note('inner'); return sleep(1).then(() => { note('then'); return 7; }); };
    return await als.run(1, async () => { const n = await inner(); note('outer'); return n; });`,
  'values of all kinds': `
    for (const value of [0, '', false, null, 'a', [1]]) als.run(value, () => log.push(als.getStore()));
    return als.run(undefined, () => als.getStore() === undefined);`,
  'many nested': `
    const nested = async (n) => { if (n > 0) return als.run(n, async () => { await null; await nested(n - 1);
      if (n % 10 === 0) note('back'); }); };
    await nested(50); note('outside');`,
  'events of EventEmitter': `
    const { EventEmitter } = require('events'); const emitter = new EventEmitter();
    als.run(1, () => emitter.on('a', () => note('listener'))); als.run(2, () => emitter.emit('a')); emitter.emit('a');`,
  'async work of others goes on': `
    const order = []; const task = async (n) => { for (let i = 0; i < 3; i++) { await null; order.push(n + i); } };
    await Promise.all([task('a'), als.run(1, () => task('b')), task('c'), Promise.resolve().then(() => order.push('then'))]);
    return order;`,
  'constructor of promises': `
    const promise = Promise.resolve(1);
    return [promise.constructor === Promise, Promise.prototype.constructor === Promise, Promise.resolve(promise) === promise,
      Promise.resolve.name, Promise.resolve.length, queueMicrotask.name];`,
  'wrong arguments': `
    const thrown = (f) => { try { f(); return 'nothing'; } catch (error) { return error.code ?? error.name; } };
    return [thrown(() => new AsyncResource(1)), thrown(() => AsyncLocalStorage.bind(1)), thrown(() => als.run(1, 2))];`,
};

for (const [name, body] of Object.entries(PROGRAMS)) {
  test(`asynchronous contexts: ${name}`, async () => {
    const code = `${HEAD}\nconst main = async () => {${body}\n};\nconst result = await main();\nreturn JSON.stringify([result ?? null, log]);`;
    const AsyncFunction = (async () => {}).constructor as new (
      ...parts: string[]
    ) => (load: NodeRequire) => Promise<string>;
    const expected = await new AsyncFunction('require', code)(require);
    assert.equal((await pool.run(code, { wallClockTimeoutMs: 20_000 })).value, expected);
  });
}

test('asynchronous contexts follow host calls, and no call sees those of another', async () => {
  const proto = await new SandboxBuilder().build();
  proto.hostModule('host').registerAsync('double', async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5 - n));
    return 2 * n;
  });
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'work',
    `import { AsyncLocalStorage } from 'node:async_hooks';
    import { double } from 'host:host';
    const als = new AsyncLocalStorage();
    export async function handler(enters) {
      const before = als.getStore() ?? null;
      const results = await Promise.all([1, 2, 3].map((n) => als.run(n, async () => [await double(n), als.getStore()])));
      if (enters) als.enterWith('entered');
      setTimeout(() => als.getStore(), 1);
      return [before, results, als.getStore() ?? null];
    }`,
  );
  const loaded = await sandbox.getLoadedSandbox();
  const results = [
    [2, 1],
    [4, 2],
    [6, 3],
  ];
  assert.deepEqual(await loaded.callHandler('work', true), [null, results, 'entered']);
  assert.deepEqual(await loaded.callHandler('work', false), [null, results, null]);
});

test('what a program has put in the place of the functions of the language does not follow contexts', async () => {
  const program = `const { queueMicrotask: before } = globalThis;
    const { then } = Promise.prototype;
    const calls = [];
    globalThis.queueMicrotask = () => calls.push('queueMicrotask');
    Promise.prototype.then = function (...reactions) {
      calls.push('then');
      return Reflect.apply(then, this, reactions);
    };
    const { AsyncLocalStorage } = require('async_hooks');
    const als = new AsyncLocalStorage();
    const store = await als.run(1, async () => { await null; return als.getStore(); });
    globalThis.queueMicrotask = before;
    Promise.prototype.then = then;
    return [store, calls];`;
  assert.deepEqual((await pool.run(program)).value, [1, []]);
});

test('rejections that nobody handles are reported as before', async () => {
  const source = `const { AsyncLocalStorage } = require('async_hooks');
    const als = new AsyncLocalStorage();
    als.run(1, () => { Promise.reject(new Error('lost')); Promise.resolve(Promise.reject(new Error('lost too')));
      (async () => { await null; throw new Error('lost as well'); })(); });
    console.log(Promise.resolve(2));`;
  const lines: string[] = [];
  const proto = await new SandboxBuilder().setHostPrintFn((_level, text) => lines.push(text)).build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('lose', `export function handler() {${source}}`);
  await (await sandbox.getLoadedSandbox()).callHandler('lose', null);
  assert.equal(lines.filter((line) => /lost/.test(line)).length, 3, String(lines));
  assert.ok(lines.includes('Promise { 2 }'), String(lines));
});
