// Binary data in events, results, and both ways through host functions.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInNewContext, runInThisContext } from 'node:vm';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { loadBody, loadWithHost, rejection } from './sandbox';

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

/** What guest code sees of a value: its class and its bytes, or JSON. */
const DESCRIBE = `
  const describe = (value) =>
    ArrayBuffer.isView(value) || value instanceof ArrayBuffer
      ? value.constructor.name + ' ' + Array.from(value).join()
      : JSON.stringify(value);
`;

test('bytes in an event arrive as Uint8Arrays, whatever their class was', async () => {
  const loaded = await loadBody(`${DESCRIBE} return event.map(describe);`);
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  const event = [
    Uint8Array.of(0, 127, 128, 255),
    Buffer.from('h\u00e9'),
    buffer,
    new Uint8Array(buffer, 1, 2),
    new Uint8Array(),
    new ArrayBuffer(0),
    new Uint8Array(new SharedArrayBuffer(2)),
    runInNewContext('Uint8Array.of(9)'),
    runInNewContext('Uint8Array.of(8, 7).buffer'),
  ];
  assert.deepEqual(await loaded.callHandler('f', event), [
    'Uint8Array 0,127,128,255',
    'Uint8Array 104,195,169',
    'Uint8Array 1,2,3,4',
    'Uint8Array 2,3',
    'Uint8Array ',
    'Uint8Array ',
    'Uint8Array 0,0',
    'Uint8Array 9',
    'Uint8Array 8,7',
  ]);
});

test('bytes in a result arrive as Uint8Arrays, whatever their class was', async () => {
  const loaded = await loadBody(`
    const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
    const detached = new ArrayBuffer(1);
    detached.transfer();
    return [
      Uint8Array.of(0, 127, 128, 255), buffer, new Uint8Array(buffer, 1, 2), new Uint8Array(), detached,
      new TextEncoder().encode('h\\u00e9'), crypto.createHash('sha256').update('').digest().subarray(0, 2),
      class extends Uint8Array {}.of(5),
    ];
  `);
  const expected = [[0, 127, 128, 255], [1, 2, 3, 4], [2, 3], [], [], [104, 195, 169], [0xe3, 0xb0], [5]];
  const result = await loaded.callHandler('f', {});
  assert.deepEqual(
    result,
    expected.map((bytes) => Uint8Array.from(bytes)),
  );
  // Each has memory of its own.
  assert.ok(result.every((bytes: Uint8Array) => bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length));
});

test('bytes are found at any depth, may be the whole value, and may be under any name', async () => {
  const loaded = await loadBody('return event;');
  for (const event of [
    EVERY_BYTE,
    [[[EVERY_BYTE]]],
    { a: { b: [{ c: EVERY_BYTE, d: 'text' }, null, EVERY_BYTE] }, e: 1.5 },
    JSON.parse('{"__proto__":0,"toString":0,"":0}', (_, value) => (value === 0 ? EVERY_BYTE : value)),
  ]) {
    const result = await loaded.callHandler('f', event);
    assert.deepEqual(result, event);
    assert.deepEqual(Object.getOwnPropertyDescriptors(result), Object.getOwnPropertyDescriptors(event));
  }
});

test('bytes go to host functions and come back from them, at once or by a promise', async () => {
  const seen: unknown[] = [];
  const loaded = await loadWithHost(
    {
      reverse: (bytes: Uint8Array, { more }: { more: Uint8Array[] }) => {
        seen.push(bytes, more);
        return { reversed: Buffer.from(bytes).reverse() };
      },
      later: async (bytes: Uint8Array) => bytes.buffer,
    },
    'const { reversed } = host.reverse(event, { more: [Uint8Array.of(1)] }); return [reversed, host.later(reversed)];',
  );
  const reversed = Uint8Array.from(EVERY_BYTE).reverse();
  assert.deepEqual(await loaded.callHandler('f', EVERY_BYTE), [reversed, reversed]);
  assert.deepEqual(seen, [EVERY_BYTE, [Uint8Array.of(1)]]);
});

test('ten megabytes go each way, byte for byte', async () => {
  const size = 10 * 1024 * 1024;
  const proto = await new SandboxBuilder()
    .setHeapSize(8 * size)
    .setInputBufferSize(2 * size)
    .setOutputBufferSize(2 * size)
    .build();
  proto.register('test', 'echo', (bytes) => bytes);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'f',
    "import { echo } from 'host:test'; function handler(event) { return { bytes: echo(event.bytes) }; }",
  );
  const loaded = await sandbox.getLoadedSandbox();
  const bytes = randomBytes(size);
  const result = await loaded.callHandler('f', { bytes });
  assert.equal(result.bytes.constructor, Uint8Array);
  assert.ok(bytes.equals(result.bytes));
});

test('text that looks like a placeholder stays what it is', async () => {
  const loaded = await loadBody('return event;');
  const texts = ['\u0010', '\u00100', '\u00101', '\u0010\u0010', '\u0010\u00100', 'a\u00100', ''];
  for (const event of [texts, { texts, bytes: EVERY_BYTE }, { bytes: EVERY_BYTE, '\u00100': Object('\u00100') }]) {
    const expected = JSON.parse(JSON.stringify(event), (key, value) => (key === 'bytes' ? EVERY_BYTE : value));
    assert.deepEqual(await loaded.callHandler('f', event), expected);
  }
});

test('what is beside bytes is as JSON has it', async () => {
  const loaded = await loadBody('return event;');
  const plain = {
    date: new Date(0),
    custom: { toJSON: (key: string) => `custom ${key}` },
    nothing: undefined,
    run: () => 1,
    symbol: Symbol('s'),
    boxed: [Object('text'), Object(1), Object(false)],
    list: [undefined, () => 1, Symbol('s'), Number.NaN, Number.POSITIVE_INFINITY, -0],
    nested: { toJSON: () => ({ toJSON: 1, list: [{ a: null }] }) },
    map: new Map([[1, 2]]),
    other: Float32Array.of(1.5, 2),
    view: new DataView(new ArrayBuffer(1)),
    clamped: Uint8ClampedArray.of(1),
    tagged: { [Symbol.toStringTag]: 'ArrayBuffer', a: 1 },
    frozen: Object.freeze(['\ud800']),
  };
  const expected = JSON.parse(JSON.stringify(plain));
  assert.deepEqual(await loaded.callHandler('f', plain), expected);
  assert.deepEqual(await loaded.callHandler('f', { ...plain, bytes: EVERY_BYTE }), { ...expected, bytes: EVERY_BYTE });
  const guest = await loadBody(`
    const plain = {
      date: new Date(0), custom: { toJSON: (key) => 'custom ' + key }, nothing: undefined, run: () => 1,
      boxed: [Object('text'), Object(1)], other: Float32Array.of(1.5), text: JSON.stringify({ a: Uint8Array.of(1) }),
      late: { toJSON: () => JSON.stringify([Uint8Array.of(2)]) },
    };
    return [plain, { ...plain, bytes: Uint8Array.of(1) }];
  `);
  const [without, { bytes, ...beside }] = await guest.callHandler('f', {});
  assert.deepEqual(bytes, Uint8Array.of(1));
  assert.deepEqual(beside, without);
  assert.equal(beside.text, '{"a":{"0":1}}');
  assert.equal(beside.late, '[{"0":2}]');
  assert.deepEqual(beside.custom, 'custom custom');
});

test('an object may give bytes from toJSON, and have a property that gives other bytes each time', async () => {
  const loaded = await loadBody('return event;');
  let reads = 0;
  const event = {
    custom: { toJSON: () => Uint8Array.of(1) },
    get fresh() {
      reads++;
      return Uint8Array.of(2);
    },
  };
  assert.deepEqual(await loaded.callHandler('f', event), { custom: Uint8Array.of(1), fresh: Uint8Array.of(2) });
  assert.ok(reads > 0);
});

test('a cycle beside bytes is refused, and so is a BigInt', async () => {
  const loaded = await loadBody('return event;');
  const cyclic: Record<string, unknown> = { bytes: EVERY_BYTE };
  cyclic.self = [cyclic];
  assert.match((await rejection('ERR_INVALID_ARG', loaded.callHandler('f', cyclic))).message, /circular/);
  await rejection('ERR_INVALID_ARG', loaded.callHandler('f', { bytes: EVERY_BYTE, n: 1n }));
  const shared = { a: 1 };
  assert.deepEqual(await loaded.callHandler('f', [shared, shared, EVERY_BYTE]), [{ a: 1 }, { a: 1 }, EVERY_BYTE]);
});

test('bytes count for the limits, and each array of them for eight bytes more', async () => {
  const proto = await new SandboxBuilder().setInputBufferSize(4096).setOutputBufferSize(4096).build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', 'function handler(event) { return event.length; }');
  sandbox.addHandler('g', 'function handler(event) { return new Uint8Array(event); }');
  const loaded = await sandbox.getLoadedSandbox();
  // The text is "\u00100" with its quotes.
  const most = 4096 - 8 - '"\\u00100"'.length;
  assert.equal(await loaded.callHandler('f', new Uint8Array(most)), most);
  const tooLarge = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', new Uint8Array(most + 1)));
  assert.deepEqual([tooLarge.size, tooLarge.limit], [4097, 4096]);
  assert.equal((await loaded.callHandler('g', most)).length, most);
  const result = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('g', most + 1));
  assert.deepEqual([result.size, result.limit], [4097, 4096]);
  assert.equal(loaded.status, 'ready');
});

test('a value may have 65,536 arrays of bytes and no more', async () => {
  const proto = await new SandboxBuilder()
    .setInputBufferSize(4 << 20)
    .setOutputBufferSize(4 << 20)
    .setHeapSize(64 << 20);
  const sandbox = await (await proto.build()).loadRuntime();
  sandbox.addHandler('f', 'function handler(event) { return event; }');
  sandbox.addHandler('g', 'function handler(event) { return Array.from({ length: event }, () => new Uint8Array()); }');
  const loaded = await sandbox.getLoadedSandbox();
  const most = Array.from({ length: 65_536 }, (_, i) => Uint8Array.of(i));
  assert.deepEqual(await loaded.callHandler('f', most), most);
  const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', [...most, EVERY_BYTE]));
  assert.match(error.message, /more than 65536 byte arrays/);
  assert.equal((await rejection('ERR_GUEST_ERROR', loaded.callHandler('g', 65_537))).guestName, 'RangeError');
  assert.equal(loaded.status, 'ready');
});

test('guest code that tampers with what bytes go through harms only itself', async () => {
  const loaded = await loadBody(`
    Uint8Array.prototype.toJSON = () => 'mine';
    for (const f of ['isArray', 'from']) Array[f] = () => { throw 1; };
    Object.keys = Object.create = Reflect.apply = JSON.stringify = JSON.parse = () => { throw 2; };
    Array.prototype.push = Array.prototype.pop = String.prototype.slice = () => { throw 3; };
    return [event, new ArrayBuffer(1), Uint8Array.of(1)];
  `);
  assert.deepEqual(await loaded.callHandler('f', EVERY_BYTE), [EVERY_BYTE, new Uint8Array(1), Uint8Array.of(1)]);
});

test('what guest code sees of JSON is not changed by bytes having a way of their own', async () => {
  const loaded = await loadBody(
    `return [JSON.stringify({ a: Uint8Array.of(1), b: new ArrayBuffer(1) }), Object.keys(Uint8Array.prototype)];`,
  );
  assert.deepEqual(await loaded.callHandler('f', {}), ['{"a":{"0":1},"b":{}}', []]);
});

test('a placeholder that stands for nothing is an error, and no depth is too great', () => {
  // No guest code can make such a text, but one that has broken out of its engine can.
  const source = readFileSync(join(__dirname, '..', '..', 'guest', 'abi', 'src', 'binary.js'), 'utf8');
  const { parse } = runInThisContext(source);
  for (const text of [
    '\u0010',
    '\u00101',
    '\u001000',
    '\u0010-0',
    '\u0010 0',
    '\u00100.0',
    '\u00100x0',
    '\u0010length',
  ]) {
    assert.throws(() => parse(JSON.stringify([text]), [EVERY_BYTE]), RangeError);
  }
  let [value] = parse(`[${'['.repeat(200_000)}"\\u00100"${']'.repeat(200_000)}]`, [EVERY_BYTE]);
  while (Array.isArray(value)) [value] = value;
  assert.equal(value, EVERY_BYTE);
});

test('a view that follows its buffer arrives with the bytes of now', async () => {
  const loaded = await loadBody(`
    const buffer = new ArrayBuffer(4, { maxByteLength: 1 << 16 });
    const view = new Uint8Array(buffer);
    view.set([1, 2, 3, 4]);
    buffer.resize(event);
    return { view };
  `);
  for (const [size, bytes] of [[2, [1, 2]] as const, [6, [1, 2, 3, 4, 0, 0]] as const, [0, []] as const]) {
    assert.deepEqual(await loaded.callHandler('f', size), { view: Uint8Array.from(bytes) });
  }
});
