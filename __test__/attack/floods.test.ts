// Guests that give the host as much to do as they can, by every way that there is. The host goes on meanwhile, none of the
// guests keeps the others from their turn, what waits has a bound, and all of them can be stopped and work again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { held } from '../memory';
import { rejection } from '../sandbox';

const MIB = 2 ** 20;
const GUESTS = 4;
/** What the lines that wait for the JavaScript thread may take. */
const WAITING_LINES = 16 * MIB;

interface Guest {
  loaded: LoadedJSSandbox;
  /** How often it has made the host do something. */
  count: number;
}

/** Sandboxes whose handler \`flood\` has this body, and all of whose ways lead to a count. */
function loadGuests(body: string): Promise<Guest[]> {
  const load = async () => {
    const guest = { count: 0 } as Guest;
    const hit = () => void guest.count++;
    const proto = await new SandboxBuilder().setHostPrintFn(hit).build();
    proto
      .hostModule('flood')
      .register('at_once', hit)
      .register('later', async () => hit())
      .register('turn', () => sleep(0).then(hit))
      .register('fail', () => {
        hit();
        throw new Error('as told');
      })
      .register('take', (value) => {
        hit();
        return value;
      })
      .registerAsync('soon', hit)
      .registerAsync('soon_fail', async () => {
        hit();
        throw new Error('as told');
      })
      .registerAsync('soon_take', (value) => {
        hit();
        return value;
      });
    const sandbox = await proto.loadRuntime();
    sandbox.addHandler('flood', `import * as host from 'host:flood'; function handler(event) { ${body} }`);
    sandbox.addHandler('count', 'let n = 0; function handler() { return ++n; }');
    guest.loaded = await sandbox.getLoadedSandbox();
    return guest;
  };
  return Promise.all(Array.from({ length: GUESTS }, load));
}

const floods: Record<string, string> = {
  'short lines': "for (;;) console.log('');",
  'long lines': "const text = 'x'.repeat(16000); for (;;) console.error(text);",
  'calls of a host function': 'for (;;) host.at_once();',
  'calls of an asynchronous host function': 'for (;;) host.later();',
  'calls of a host function that waits for the event loop': 'for (;;) host.turn();',
  'calls of a host function that throws': 'for (;;) try { host.fail(); } catch {}',
  'calls with much in them and back': 'const list = new Array(20000).fill([]); for (;;) host.take(list);',
  'calls with many bytes in them and back': 'const bytes = new Uint8Array(500000); for (;;) host.take(bytes);',
  'lines and calls at once': "for (;;) { console.log('line'); host.at_once(); }",
  'lines out of microtasks': "const again = () => { console.log('line'); queueMicrotask(again); }; again();",
  'calls that are refused': "for (;;) { try { host.at_once(); } catch {} console.log('line'); }",
  ...asynchronous('as many asynchronous calls as may be in flight', 1_000, 'host.soon().then(again)'),
  ...asynchronous(
    'more asynchronous calls than may be in flight',
    1_100,
    'host.soon().then(again, () => setImmediate(again))',
  ),
  ...asynchronous('asynchronous calls that fail', 1_000, 'host.soon_fail().catch(again)'),
  ...asynchronous('asynchronous calls with much in them and back', 16, 'host.soon_take(list).then(again)'),
  ...asynchronous('asynchronous calls with many bytes in them and back', 16, 'host.soon_take(bytes).then(again)'),
  ...asynchronous('asynchronous calls that nobody waits for', 1, 'host.soon(); setImmediate(again)'),
  ...asynchronous('timers', 10_000, 'setTimeout(again, Math.random() * 3); if (i % 100 === 0) host.at_once()'),
  ...asynchronous('suspensions in tiny steps', 1, "console.log('line'); setTimeout(again, 0)"),
  ...asynchronous('suspensions that end at once', 1, "console.log('line'); setImmediate(again)"),
};

/** Does something without end in so many places at the same time, and waits for ever. */
function asynchronous(name: string, places: number, step: string): Record<string, string> {
  const values = 'const list = new Array(20000).fill([]), bytes = new Uint8Array(500000);';
  const begin = `const begin = (i) => { const again = () => { ${step}; }; again(); };`;
  return { [name]: `${values} ${begin} for (let i = 0; i < ${places}; i++) begin(i); return new Promise(() => {});` };
}

for (const [name, body] of Object.entries(floods)) {
  test(`${name} leave the host its turn, and every guest`, async () => {
    const guests = await loadGuests(body);
    const snapshots = await Promise.all(guests.map(({ loaded }) => loaded.snapshot()));
    const before = held().resident;
    const options = { maxHostCalls: name === 'calls that are refused' ? 0 : 2 ** 32 - 1 };
    const calls = guests.map(({ loaded }) => rejection('ERR_CANCELLED', loaded.callHandler('flood', {}, options)));
    // There would be no end to this if the event loop did not turn, or a guest had no turn.
    for (let turns = 0; turns < 10; turns++) await sleep(1);
    const counts = guests.map(({ count }) => count);
    while (!guests.every(({ count }, i) => count > (counts[i] ?? 0))) await sleep(1);
    const growth = held().resident - before;
    assert.ok(growth < GUESTS * (WAITING_LINES + 32 * MIB), `${growth} bytes more`);
    for (const { loaded } of guests) loaded.interruptHandle.kill();
    await Promise.all(calls);
    for (const [i, { loaded }] of guests.entries()) {
      await loaded.restore(snapshots[i] ?? assert.fail());
      assert.equal(await loaded.callHandler('count', {}), 1);
      loaded.dispose();
    }
  });
}

test('lines that wait for a busy host take no more memory than they may', async () => {
  const guests = await loadGuests("const text = 'x'.repeat(16000); for (;;) console.log(text);");
  const before = held().resident;
  const calls = guests.map(({ loaded }) => rejection('ERR_CANCELLED', loaded.callHandler('flood', {})));
  // While this thread does nothing the guests print, hundreds of megabytes a second.
  for (let i = 0; i < 10; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    const growth = held().resident - before;
    assert.ok(growth < GUESTS * (WAITING_LINES + 32 * MIB), `${growth} bytes more`);
  }
  for (const { loaded } of guests) loaded.interruptHandle.kill();
  await Promise.all(calls);
  for (const { loaded, count } of guests) {
    assert.ok(count > 0);
    loaded.dispose();
  }
});

test('results of many sandboxes at once leave the host its turn', async () => {
  const guests = await loadGuests('return new Array(event).fill([]);');
  let turns = 0;
  let isOver = false;
  const turning = (async () => {
    for (; !isOver; turns++) await sleep(0);
  })();
  for (let round = 0; round < 5; round++) {
    const before = turns;
    const results = await Promise.all(guests.map(({ loaded }) => loaded.callHandler('flood', 50_000)));
    for (const result of results) assert.equal(result.length, 50_000);
    while (turns === before) await sleep(0);
  }
  isOver = true;
  await turning;
});
