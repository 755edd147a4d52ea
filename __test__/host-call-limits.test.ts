// How often a call may call its host, and what the host keeps for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type CallHandlerOptions, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { rejection } from './sandbox';

/** A sandbox with host functions that count their calls; `open` lets all calls of `gate` go on. */
async function start(code: string, builder = new SandboxBuilder()) {
  const seen = { calls: 0, open: () => {} };
  const opened = new Promise<void>((resolve) => (seen.open = resolve));
  const count = () => ++seen.calls;
  const proto = await builder.build();
  proto
    .hostModule('host')
    .register('now', count)
    .registerAsync('later', count)
    .registerAsync('gate', () => opened.then(count))
    .registerAsync('large', (size: number) => opened.then(() => 'x'.repeat(size)))
    // Once it returns, all that has waited has its result.
    .register('open', async () => {
      seen.open();
      for (let i = 0; i < 3; i++) await turn();
    });
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', `import { now, later, gate, large, open } from 'host:host'; ${code}`);
  return { sandbox, seen };
}

/** Calls functions by name, and gives what they threw or were rejected with. */
const CALLS = `
  const told = (error) => [error instanceof HostFunctionError, error.hostName];
  export async function handler(names) {
    const results = [];
    for (const name of names) {
      try { results.push(await { now, later }[name]()); } catch (error) { results.push(told(error)); }
    }
    return results;
  }
`;
const REFUSED = [true, 'RangeError'];

test('calls beyond the limit are refused, synchronous and asynchronous ones, and are not made', async () => {
  const { sandbox, seen } = await start(CALLS);
  using loaded = await sandbox.getLoadedSandbox();
  const names = ['now', 'later', 'now', 'later', 'now'];
  assert.deepEqual(await loaded.callHandler('f', names, { maxHostCalls: 3 }), [1, 2, 3, REFUSED, REFUSED]);
  assert.equal(seen.calls, 3);
  assert.equal(loaded.lastCallStats?.hostCalls, 5);
  // Each call begins anew, with limits of its own or without.
  assert.deepEqual(await loaded.callHandler('f', names, { maxHostCalls: 4 }), [4, 5, 6, 7, REFUSED]);
  assert.deepEqual(await loaded.callHandler('f', names), [8, 9, 10, 11, 12]);
  assert.deepEqual(await loaded.callHandler('f', names.slice(3), { maxHostCalls: 0 }), [REFUSED, REFUSED]);
  assert.equal(seen.calls, 12);
});

test('calls in flight are limited, and those that have ended make room', async () => {
  const { sandbox } = await start(`
    const told = ({ hostName, message }) => hostName + ': ' + message;
    export async function handler() {
      const first = [gate(), gate(), gate()].map((promise) => promise.catch(told));
      const refused = await first[2];
      open();
      await Promise.all(first);
      return [refused, ...(await Promise.all([later(), later()])), await later(), now()];
    }
  `);
  using loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('f', null, { maxHostCallsInFlight: 2 }), [
    'RangeError: there are 2 calls of host functions in flight already',
    3,
    4,
    5,
    6,
  ]);
});

test('evaluations, requests of pools and runs have the limits too', async () => {
  const code = 'const all = []; for (;;) try { all.push(now()); } catch { break; } export const handler = () => all;';
  const { sandbox } = await start(code);
  using loaded = await sandbox.getLoadedSandbox({ maxHostCalls: 7 });
  assert.equal((await loaded.callHandler('f', null)).length, 7);

  const prepare = async () => (await start(CALLS)).sandbox.getLoadedSandbox();
  const pool = new SandboxPool({ size: 1, prepare });
  assert.deepEqual(await pool.callHandler('f', ['now', 'later'], { maxHostCalls: 1 }), [1, REFUSED]);
  const functions = { db: { find: () => 1 } };
  const source = 'await Promise.allSettled([db.find(), db.find()]).then((all) => all.map(({ status }) => status))';
  const limits: CallHandlerOptions[] = [{ maxHostCalls: 1 }, { maxHostCallsInFlight: 1 }];
  for (const limit of limits) {
    assert.deepEqual((await pool.run(source, { functions, ...limit })).value, ['fulfilled', 'rejected']);
  }
  await pool.close();
});

test('limits that are none are refused, and nothing is begun', async () => {
  const { sandbox, seen } = await start(`now(); ${CALLS}`);
  const wrong = [-1, 1.5, Number.NaN, '3', null, 2 ** 32, Number.POSITIVE_INFINITY];
  const options = [
    ...wrong.map((maxHostCalls) => ({ maxHostCalls })),
    ...[...wrong, 1001].map((maxHostCallsInFlight) => ({ maxHostCallsInFlight })),
  ] as CallHandlerOptions[];
  for (const option of options) {
    const [name] = Object.keys(option);
    assert.match(
      (await rejection('ERR_INVALID_ARG', sandbox.getLoadedSandbox(option))).message,
      new RegExp(`${name}\\b`),
    );
  }
  assert.equal(seen.calls, 0);
  using loaded = await sandbox.getLoadedSandbox();
  for (const option of options) await rejection('ERR_INVALID_ARG', loaded.callHandler('f', ['now'], option));
  assert.equal(seen.calls, 1);
});

test('results that a guest has not taken are limited, and those beyond it are errors for the guest', async () => {
  const MIB = 2 ** 20;
  const builder = new SandboxBuilder().setInputBufferSize(5 * MIB);
  const { sandbox } = await start(
    `export async function handler([count, size, end]) {
       const sizes = Array.from({ length: count }, () => large(size).then(({ length }) => length, ({ hostName }) => hostName));
       // The calls begin when the guest waits. Then it takes nothing until all of them have their results.
       await later();
       open();
       if (end === 'never') for (;;);
       return Promise.all(sizes);
     }`,
    builder,
  );
  using loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  const size = 4 * MIB;
  const results: (number | string)[] = await loaded.callHandler('f', [20, size]);
  // 16 of them would be a little more than 64 MiB, as JSON.
  assert.deepEqual(results, [...Array(15).fill(size), ...Array(5).fill('RangeError')]);
  // What was taken, and what never will be, makes room.
  assert.deepEqual(await loaded.callHandler('f', [15, size]), Array(15).fill(size));
  await rejection('ERR_CANCELLED', loaded.callHandler('f', [15, size, 'never'], { cpuTimeoutMs: 500 }));
  await loaded.restore(snapshot);
  assert.deepEqual(await loaded.callHandler('f', [15, size]), Array(15).fill(size));
});
