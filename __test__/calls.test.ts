import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loadBody } from './sandbox';

test('an event goes in and the result comes out as JSON has them', async () => {
  const loaded = await loadBody('return event;');
  const values: unknown[] = [
    null,
    true,
    0,
    -1.5,
    Number.MAX_SAFE_INTEGER,
    1e308,
    '',
    'text',
    [],
    [1, [2, [3]]],
    {},
    { nested: { list: [null, false] }, '': 1, 'a b': 2 },
    { toString: 'not a function', length: 3, constructor: null },
  ];
  for (const value of values) {
    assert.deepEqual(await loaded.callHandler('f', value), value);
  }
  assert.equal(await loaded.callHandler('f', Number.NaN), null);
  assert.deepEqual(await loaded.callHandler('f', { date: new Date(0), gone: undefined }), {
    date: '1970-01-01T00:00:00.000Z',
  });
});

test('a property named __proto__ stays a property', async () => {
  const loaded = await loadBody('return event;');
  const result = await loaded.callHandler('f', JSON.parse('{"__proto__":{"polluted":true}}'));
  assert.deepEqual(Object.keys(result), ['__proto__']);
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
});

test('undefined comes back as undefined', async () => {
  const loaded = await load({
    nothing: 'function handler() {}',
    promised: 'async function handler() {}',
  });
  assert.equal(await loaded.callHandler('nothing', {}), undefined);
  assert.equal(await loaded.callHandler('promised', {}), undefined);
});

test('an exported handler and an async one work', async () => {
  const loaded = await load({
    exported: 'export function handler(event) { return event + 1; }',
    async: 'async function handler(event) { await null; return event + 1; }',
    promise: 'function handler(event) { return Promise.resolve(event).then((value) => value + 1); }',
  });
  for (const name of ['exported', 'async', 'promise']) {
    assert.equal(await loaded.callHandler(name, 1), 2, name);
  }
});

test('state at module level lives from call to call and belongs to one sandbox', async () => {
  const counter = { count: 'let count = 0; function handler() { return ++count; }' };
  const [one, other] = await Promise.all([load(counter), load(counter)]);
  assert.equal(await one.callHandler('count', {}), 1);
  assert.equal(await one.callHandler('count', {}), 2);
  assert.equal(await other.callHandler('count', {}), 1);
  assert.equal(await one.callHandler('count', {}), 3);
});

test('each handler has variables of its own', async () => {
  const code = (start: number) => `let count = ${start}; function handler() { return ++count; }`;
  const loaded = await load({ low: code(0), high: code(100) });
  assert.equal(await loaded.callHandler('low', {}), 1);
  assert.equal(await loaded.callHandler('high', {}), 101);
  assert.equal(await loaded.callHandler('low', {}), 2);
});

test('two sandboxes do not draw the same random numbers', async () => {
  const draw = 'return [Math.random(), Math.random()];';
  const sandboxes = await Promise.all([loadBody(draw), loadBody(draw)]);
  const drawn = await Promise.all(sandboxes.map((loaded) => loaded.callHandler('f', {})));
  assert.equal(new Set(drawn.flat()).size, 4);
});

test('the clock of the guest is that of the host', async () => {
  const loaded = await loadBody(`
    const times = [Date.now()];
    while (times.at(-1) - times[0] < event) times.push(Date.now());
    return { first: times[0], last: times.at(-1), sorted: times.every((time, i) => i === 0 || times[i - 1] <= time) };
  `);
  for (const duration of [0, 20, 200]) {
    const before = Date.now();
    const { first, last, sorted } = await loaded.callHandler('f', duration);
    const after = Date.now();
    assert.ok(before - 1 <= first && last <= after + 1, `${before} <= ${first} <= ${last} <= ${after}`);
    assert.ok(sorted, 'it went backwards');
  }
});

test('text of all kinds comes back unchanged', async () => {
  const loaded = await loadBody('return event;');
  const texts = [
    'Grüße, 世界, مرحبا, 🦀👩‍👩‍👧‍👦',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udc00',
    'a\udc00\ud800b',
    '\u2028\u2029\ufeff\ufffe\uffff',
    '"\\/\b\f\n\r\t\u001f\u007f',
    String.fromCharCode(...Array(0x100).keys()),
  ];
  for (const text of texts) {
    assert.equal(await loaded.callHandler('f', text), text);
    assert.deepEqual(await loaded.callHandler('f', { [text]: text }), { [text]: text });
  }
});

test('lone surrogates made in the guest arrive', async () => {
  const loaded = await loadBody('return [String.fromCharCode(0xd800), String.fromCharCode(0)];');
  assert.deepEqual(await loaded.callHandler('f', {}), ['\ud800', '\u0000']);
});

test('an event of the full size makes the round trip', async () => {
  const loaded = await loadBody('return event;');
  const quotes = 2;
  const text = 'x'.repeat(2 ** 20 - quotes);
  assert.equal(await loaded.callHandler('f', text), text);
  const list = Array.from({ length: 100_000 }, (_, i) => i);
  assert.deepEqual(await loaded.callHandler('f', list), list);
});

test('garbage collection can be left out', async () => {
  const loaded = await loadBody('return event;');
  for (const options of [undefined, {}, { gc: true }, { gc: false }, { gc: undefined }]) {
    assert.equal(await loaded.callHandler('f', 1, options), 1);
  }
});

test('the JSON functions are those from when the addon was loaded', async (t) => {
  const loaded = await loadBody('return event;');
  const { parse, stringify } = JSON;
  t.after(() => Object.assign(JSON, { parse, stringify }));
  Object.assign(JSON, { parse: () => 'replaced', stringify: () => '"replaced"' });
  const result = loaded.callHandler('f', [1]);
  Object.assign(JSON, { parse, stringify });
  assert.deepEqual(await result, [1]);
});
