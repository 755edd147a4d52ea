import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loadBody } from './sandbox';

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
  const [first, second] = await Promise.all([loadBody(SPIN), loadBody(SPIN)]);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const started = performance.now();
  await Promise.all([first.callHandler('f', 1000), second.callHandler('f', 1000), first.callHandler('f', 1)]);
  const elapsed = performance.now() - started;
  clearInterval(timer);
  assert.ok(elapsed >= 950, `the handlers spun for ${elapsed} ms only`);
  // 200 on an idle machine, and 0 if a call blocks the loop.
  assert.ok(ticks >= 20, `${ticks} ticks in ${elapsed} ms`);
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
  const loaded = await loadBody(SPIN);
  let isOver = false;
  const call = loaded.callHandler('f', 300).then(() => (isOver = true));
  for (let i = 0; i < 10; i++) {
    assert.equal(loaded.poisoned, false);
    await new Promise(setImmediate);
  }
  assert.equal(isOver, false);
  await call;
  assert.equal(loaded.poisoned, false);
});
