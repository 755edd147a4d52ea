// The tracing channels: who listens sees what sandboxes do, and nothing that a guest or a caller has said.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Receipt, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { load, loadWithHost, rejection, runProgram } from './sandbox';

type Message = {
  method?: string;
  handler?: string;
  module?: string;
  name?: string;
  isAsync?: boolean;
  receipt?: Omit<Receipt, 'console' | 'droppedLines'>;
  error?: { type: string; code?: string; terminatedBy?: string };
};

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
const SECRET = 'secret-of-a-guest';

/** Collects what is published on channels until the test has ended. */
function listen(t: TestContext, ...names: string[]) {
  const seen: [string, Message][] = [];
  for (const name of names) {
    for (const event of EVENTS) {
      const subscriber = (message: unknown) => seen.push([`${name}:${event}`, message as Message]);
      const one = channel(`tracing:hyperlight-js:${name}:${event}`);
      one.subscribe(subscriber);
      t.after(() => one.unsubscribe(subscriber));
    }
  }
  return { seen, order: () => seen.map(([event]) => event), last: () => seen.at(-1)?.[1] ?? assert.fail() };
}

test('a call of a handler is published with its receipt, without its event, its result and its lines', async (t) => {
  const sandbox = await loadWithHost(
    { twice: (n: number) => 2 * n },
    'console.log(event); host.twice(2); return event;',
  );
  const { order, last, seen } = listen(t, 'call');
  assert.equal(await sandbox.callHandler('f', SECRET), SECRET);
  assert.deepEqual(order(), ['call:start', 'call:end', 'call:asyncStart', 'call:asyncEnd']);
  const { method, handler, receipt } = last();
  assert.deepEqual([method, handler], ['callHandler', 'f']);
  assert.deepEqual(receipt?.hostCalls['test.twice']?.count, 1);
  assert.equal(receipt.inputBytes, SECRET.length + 2);
  assert.equal(receipt.outputBytes, SECRET.length + 2);
  assert.equal(receipt.guestImage, SandboxBuilder.guestImage.hash);
  assert.ok(receipt.wallClockMs > 0 && (receipt.peakHeapBytes ?? 0) > 0);

  const { value, receipt: own } = await sandbox.callHandlerWithReceipt('f', SECRET);
  const { console: lines, droppedLines, ...facts } = own;
  assert.deepEqual([value, lines.length, droppedLines], [SECRET, 1, 0]);
  assert.deepEqual(last().receipt, facts);
  const { stats } = await sandbox.callHandlerWithStats('f', SECRET);
  assert.equal(last().receipt?.wallClockMs, stats.wallClockMs);
  assert.equal(JSON.stringify(seen).includes(SECRET), false);
});

test('an error is published by its code and by what has stopped the call, never with its text', async (t) => {
  const sandbox = await load({
    f: `function handler() { throw new Error('${SECRET}'); }`,
    loop: 'function handler() { for (;;); }',
  });
  const { order, last, seen } = listen(t, 'call');
  const error = await rejection('ERR_GUEST_ERROR', sandbox.callHandler('f', null));
  assert.equal('receipt' in error, false);
  assert.deepEqual(order(), ['call:start', 'call:end', 'call:error', 'call:asyncStart', 'call:asyncEnd']);
  assert.deepEqual(last().error, { type: 'Error', code: 'ERR_GUEST_ERROR' });
  assert.ok(last().receipt);
  await rejection('ERR_INVALID_ARG', sandbox.callHandler('f', null, { wallClockTimeoutMs: -1 }));
  assert.deepEqual([last().error?.code, last().receipt], ['ERR_INVALID_ARG', undefined]);
  await rejection('ERR_CANCELLED', sandbox.callHandler('loop', null, { wallClockTimeoutMs: 50 }));
  assert.deepEqual([last().error?.terminatedBy, last().receipt?.terminatedBy], ['wall-clock', 'wall-clock']);
  await rejection('ERR_POISONED', sandbox.callHandler('f', null));
  assert.deepEqual([last().error?.code, last().receipt], ['ERR_POISONED', undefined]);
  assert.equal(JSON.stringify(seen).includes(SECRET), false);
});

test('lines go where they went without anybody listening', async (t) => {
  const lines: string[] = [];
  const proto = await new SandboxBuilder().setHostPrintFn((_, text) => lines.push(text)).build();
  const js = await proto.loadRuntime();
  js.addHandler('f', 'function handler() { console.log("a line"); }');
  const sandbox = await js.getLoadedSandbox();
  listen(t, 'call');
  await sandbox.callHandler('f', null);
  assert.deepEqual(lines, ['a line']);
});

test('host functions run where their call was traced, and are published as they end', async (t) => {
  const store = new AsyncLocalStorage<unknown>();
  const call = tracingChannel('hyperlight-js:call');
  call.start.bindStore(store, (message) => message);
  t.after(() => call.start.unbindStore(store));
  const stores: unknown[] = [];
  let thenCalls = 0;
  const proto = await new SandboxBuilder().build();
  proto
    .hostModule('m')
    .register('now', () => stores.push(store.getStore()))
    .register('fails', () => {
      throw new TypeError(SECRET);
    })
    .registerAsync('later', async () => {
      await sleep(1);
      stores.push(store.getStore());
      return SECRET;
    })
    // biome-ignore lint/suspicious/noThenProperty: a promise of somebody's own, which begins when it is asked
    .registerAsync('lazy', () => ({ then: (resolve: (value: number) => void) => resolve(++thenCalls) }));
  const js = await proto.loadRuntime();
  js.addHandler(
    'f',
    `import { now, fails, later, lazy } from 'host:m';
    async function handler() {
      now();
      try { fails(); } catch {}
      return [await later(), await lazy()];
    }`,
  );
  const sandbox = await js.getLoadedSandbox();
  const { order, seen } = listen(t, 'host-call');
  assert.deepEqual(await sandbox.callHandler('f', null), [SECRET, 1]);
  const [message] = stores as Message[];
  assert.equal(message?.handler, 'f');
  assert.equal(stores[1], message);
  const sync = ['host-call:start', 'host-call:end'];
  const async = [...sync, 'host-call:asyncStart', 'host-call:asyncEnd'];
  assert.deepEqual(order(), [...sync, 'host-call:start', 'host-call:error', 'host-call:end', ...async, ...async]);
  const ends = seen
    .filter(([event]) => event === 'host-call:end')
    .map(([, { module, name, isAsync }]) => [module, name, isAsync]);
  assert.deepEqual(ends, [
    ['m', 'now', false],
    ['m', 'fails', false],
    ['m', 'later', true],
    ['m', 'lazy', true],
  ]);
  assert.deepEqual(seen.find(([event]) => event === 'host-call:error')?.[1].error, { type: 'TypeError' });
  assert.equal(JSON.stringify(seen).includes(SECRET), false);
});

test('a request of a pool waits until it begins, and no longer', async (t) => {
  const snapshot = await (await load({ f: 'async function handler() { await m.wait(); }' })).snapshot();
  const pool = new SandboxPool({ size: 1, maxQueue: 1, snapshot });
  t.after(() => pool.close());
  const { seen, order } = listen(t, 'pool-wait', 'call', 'run');
  let release = () => {};
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const wait = () => {
    begun();
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  };
  const first = pool.callHandler('f', null, { functions: { m: { wait } } });
  await hasBegun;
  assert.deepEqual(order().slice(-2), ['pool-wait:asyncStart', 'pool-wait:asyncEnd']);
  const controller = new AbortController();
  const second = pool.run('1', { signal: controller.signal });
  await rejection('ERR_POOL_FULL', pool.run('1'));
  const before = seen.length;
  controller.abort();
  await rejection('ERR_CANCELLED', second);
  const ended = seen.slice(before).map(([event]) => event);
  const failed = (name: string) => ['error', 'asyncStart', 'asyncEnd'].map((event) => `${name}:${event}`);
  assert.deepEqual(ended.sort(), [...failed('pool-wait'), ...failed('run')].sort());
  release();
  await first;
  assert.equal((await pool.run('1 + 1')).value, 2);
  const counts = Object.fromEntries(
    ['start', 'asyncEnd'].map((event) => [event, order().filter((one) => one === `pool-wait:${event}`).length]),
  );
  assert.deepEqual(counts, { start: 4, asyncEnd: 4 });
});

test('loads and restores are published', async (t) => {
  const { order, last } = listen(t, 'load', 'restore');
  const sandbox = await load({ f: 'function handler() {}' });
  await sandbox.restore(await sandbox.snapshot());
  const all = (name: string) => ['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => `${name}:${event}`);
  assert.deepEqual(order(), [...all('load'), ...all('restore')]);
  await rejection('ERR_INVALID_ARG', sandbox.restore({} as never));
  assert.equal(last().error?.code, 'ERR_INVALID_ARG');
  await rejection('ERR_COMPILE', load({ f: `${SECRET}!` }));
  assert.deepEqual(last(), { method: 'getLoadedSandbox', error: { type: 'Error', code: 'ERR_COMPILE' } });
});

test('a promise that nobody handles is reported though somebody listens, and a listener that throws harms no call', async () => {
  const printed = await runProgram(`
    const { channel } = require('node:diagnostics_channel');
    process.on('unhandledRejection', (error) => console.log('unhandled', error.code));
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    (async () => {
      const sandbox = await sandboxes.load({ f: 'function handler() { throw 1; }', g: 'function handler() { return 1; }' });
      for (const event of ['start', 'asyncEnd', 'error']) {
        channel('tracing:hyperlight-js:call:' + event).subscribe(() => { throw new Error(event); });
      }
      sandbox.callHandler('f', null);
      console.log(await sandbox.callHandler('g', null));
    })();
  `);
  const lines = printed.trimEnd().split('\n').sort();
  assert.deepEqual(lines, [
    '1',
    'uncaught asyncEnd',
    'uncaught asyncEnd',
    'uncaught error',
    'uncaught start',
    'uncaught start',
    'unhandled ERR_GUEST_ERROR',
  ]);
});
