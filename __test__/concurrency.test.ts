import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lines, load, loadBody, loadWithLines, rejection } from './sandbox';

const SPIN = 'const end = Date.now() + event; while (Date.now() < end); return event;';

test('twenty sandboxes run side by side', async () => {
  const code = 'let sum = 0; function handler(event) { sum += event; return sum; }';
  const sandboxes = await Promise.all(Array.from({ length: 20 }, () => load({ add: code })));
  for (const round of [1, 2, 3]) {
    const sums = await Promise.all(sandboxes.map((loaded, i) => loaded.callHandler('add', i)));
    assert.deepEqual(
      sums,
      sandboxes.map((_, i) => i * round),
    );
  }
});

test('the event loop keeps ticking while handlers spin', async () => {
  const lines = new Lines();
  const sandboxes = await Promise.all([1, 2].map(() => loadWithLines(lines, { f: 'for (;;);' })));
  const calls = sandboxes.map((loaded) => rejection('ERR_CANCELLED', loaded.callHandler('f', {})));
  const waiting = sandboxes.map((loaded) => rejection('ERR_POISONED', loaded.callHandler('f', {})));
  for (const _ of sandboxes) assert.equal(await lines.next(), 'begun');
  // There would be no end to this if a call blocked the loop.
  for (let ticks = 0; ticks < 20; ticks++) await sleep(5);
  for (const loaded of sandboxes) loaded.interruptHandle.kill();
  await Promise.all([...calls, ...waiting]);
});

// On one emulated processor, shared with the threads that start the sandboxes, the loop gets few turns in any case.
const skip = process.env.TIME_IS_STRETCHED !== undefined;
test('starting a sandbox does not block the event loop either (measures time)', { skip }, async () => {
  let ticks = 0;
  let running = true;
  const tick = () => {
    ticks++;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  await Promise.all(Array.from({ length: 10 }, () => loadBody('return event;')));
  running = false;
  assert.ok(ticks >= 20, `${ticks} ticks`);
});

test('calls on one sandbox run in the order in which they were made', async () => {
  const loaded = await load({
    append: 'const seen = []; function handler(event) { seen.push(event); return seen; }',
    slow: `function handler(event) { ${SPIN} }`,
  });
  const finished: number[] = [];
  const calls = Array.from({ length: 50 }, async (_, i) => {
    if (i % 10 === 0) loaded.callHandler('slow', 5);
    const seen = await loaded.callHandler('append', i);
    finished.push(i);
    return seen.length;
  });
  const inOrder = Array.from({ length: 50 }, (_, i) => i);
  assert.deepEqual(
    await Promise.all(calls),
    inOrder.map((i) => i + 1),
  );
  assert.deepEqual(finished, inOrder);
});

test('a call that fails does not disturb those behind it', async () => {
  const loaded = await load({
    fail: 'function handler() { throw new Error("no"); }',
    pass: 'function handler(event) { return event; }',
  });
  const results = await Promise.allSettled([
    loaded.callHandler('fail', {}),
    loaded.callHandler('pass', 1),
    loaded.callHandler('unknown', {}),
    loaded.callHandler('pass', 2),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(loaded.poisoned, false);
});

test('a sandbox that nobody holds any more still ends its calls', async () => {
  const results = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => (await loadBody(SPIN)).callHandler('f', 50 + i)),
  );
  assert.deepEqual(results, [50, 51, 52, 53, 54]);
});

test('poisoned can be read while a call runs', async () => {
  const lines = new Lines();
  const loaded = await loadWithLines(lines, { f: 'for (;;);' });
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
  await lines.next();
  assert.equal(loaded.poisoned, false);
  loaded.interruptHandle.kill();
  await call;
  assert.equal(loaded.poisoned, true);
});
