// What becomes of values in which JavaScript runs while they are encoded: getters, `toJSON`, proxies, classes of bytes with
// members of their own. The encoder for V8 and the guest's must agree, on generated values too, and each read things once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInThisContext } from 'node:vm';
import { loadBody, loadWithHost, rejection } from './sandbox';

interface Binary {
  stringify(value: unknown, byteArrays: Uint8Array[]): string | undefined;
  parse(text: string, byteArrays: Uint8Array[]): unknown;
}

const SOURCE = readFileSync(join(__dirname, '..', '..', 'guest', 'abi', 'src', 'binary.js'), 'utf8');
const binary: Binary = runInThisContext(SOURCE);

/** What V8's encoder makes of a value, decoded again. */
function throughV8(value: unknown): unknown {
  const byteArrays: Uint8Array[] = [];
  const text = binary.stringify(value, byteArrays);
  if (text === undefined) return undefined;
  return byteArrays.length > 0 ? binary.parse(text, byteArrays) : JSON.parse(text);
}

/** Random numbers that are the same every time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SCALARS = [
  'null',
  'true',
  '0',
  '-0',
  '-17',
  '4294967296',
  '1.5',
  '1e21',
  '5e-324',
  'NaN',
  '-Infinity',
  'undefined',
  '(() => 1)',
  "Symbol('s')",
  "''",
  "'text'",
  String.raw`'\u0010'`,
  String.raw`'\u00100'`,
  String.raw`'\u0010\u00101'`,
  String.raw`'\ud800 \udc00\ud83e\udd80 \udfff'`,
  String.raw`'\u0010\udc00'`,
  String.raw`'"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u00e9\ud7ff\ue000'`,
];

const BYTES = [
  'Uint8Array.of(1, 2)',
  'new Uint8Array()',
  'Uint8Array.of(1, 2, 3, 4).subarray(1, 3)',
  'Uint8Array.of(5, 6).buffer',
  'new ArrayBuffer(0)',
  'new (class extends Uint8Array { toJSON() { log.push("bytes"); return "not this"; } })([7])',
  'Object.assign(Uint8Array.of(8), { toJSON: () => "not this", more: 1 })',
  'Object.defineProperty(Uint8Array.of(9), Symbol.toStringTag, { value: "Other" })',
  'Object.defineProperty(Uint8Array.of(9).buffer, Symbol.toStringTag, { value: "Other" })',
  'Object.defineProperty(Uint8Array.of(9), "length", { value: 1e9 })',
];

const OTHERS = [
  'new Date(0)',
  'new Map([[1, 2]])',
  'new Set([1])',
  '/x/g',
  'Float32Array.of(1.5)',
  'Uint8ClampedArray.of(1)',
  'new DataView(new ArrayBuffer(1))',
  "Object('boxed')",
  String.raw`Object('\u00100')`,
  'Object(-1.5)',
  'Object(false)',
  'Object.assign(Object("boxed"), { toString() { log.push("toString"); return "\\u0010other"; } })',
  'Object.assign(Object(1), { valueOf() { log.push("valueOf"); return 2; } })',
  'Object.assign(Object("tagged"), { [Symbol.toStringTag]: "Number" })',
  'Object.assign(Object(true), { [Symbol.toStringTag]: "String" })',
  '{ [Symbol.toStringTag]: "ArrayBuffer", a: 1 }',
  '{ [Symbol.toStringTag]: "Uint8Array", a: 1 }',
  '{ get [Symbol.toStringTag]() { return log.push("tag"); } }',
];

/** The source of a value. What runs in it writes to `log`; `find` sends a value to the other side and back. */
function valueSource(random: (below: number) => number, depth: number): string {
  const pick = (list: string[]) => list[random(list.length)] ?? '';
  const inner = () => valueSource(random, depth - 1);
  const several = (make: () => string) => Array.from({ length: random(4) }, make);
  const note = () => `log.push(${random(1000)})`;
  const name = () =>
    pick(['a', 'b', '"c d"', '["__proto__"]', '0', '"7"', 'toString', '"\\u0010"', '"\\ud800"', 'length']);
  const property = () => {
    switch (random(6)) {
      case 0:
        return `get ${name()}() { ${note()}; return ${inner()}; }`;
      case 1:
        return `get ${name()}() { ${note()}; return find(${inner()}); }`;
      case 2:
        // Bytes are taken as they are when their turn comes.
        return `get ${name()}() { shared[0]++; return shared; }`;
      case 3:
        return `get ${name()}() { ${note()}; delete this.${pick(['a', 'b'])}; }`;
      default:
        return `${name()}: ${inner()}`;
    }
  };
  if (depth === 0) return pick(random(3) === 0 ? BYTES : SCALARS);
  switch (random(13)) {
    case 0:
    case 1:
    case 2:
      return `({ ${several(property).join(', ')} })`;
    case 3:
      return `[${several(inner).join(', ')}]`;
    case 4:
      return `[${several(inner).join(', ')}, , 1]`;
    case 5:
      return `({ toJSON(key) { ${note()}; log.push(key); return ${inner()}; } })`;
    case 6:
      return `(([...items]) => Object.defineProperty(items, 0, { get() { ${note()}; items.length += 1; return ${inner()}; } }))([1, ${several(inner).join(', ')}])`;
    case 7:
      return `new Proxy(${random(2) ? `{ ${several(property).join(', ')} }` : `[${several(inner).join(', ')}]`}, { get: (target, key) => { if (typeof key === 'string') log.push(key); return target[key]; } })`;
    case 8:
      return `new (class { own = ${inner()}; get inherited() { return log.push('inherited'); } })()`;
    case 9:
      return `Object.assign(() => 1, { toJSON: () => ${inner()} })`;
    case 10:
      return `Object.assign([${inner()}], { toJSON(key) { log.push('array ' + key); return this[0]; } })`;
    case 11:
      return `Object.assign(Object.create(null), { ${several(property).join(', ')} })`;
    default:
      return `(${pick([...BYTES, ...OTHERS, ...SCALARS])})`;
  }
}

/** A function from `find` to a value, and to a list of what has run that is read behind it. */
function programSource(seed: number): string {
  const value = valueSource(generator(seed), 4);
  return `const log = []; const shared = Uint8Array.of(0); return { value: ${value}, log };`;
}

function evaluated(source: string): unknown {
  // The arguments of a host function are an array.
  return new Function('find', source)((value: unknown) => (throughV8([value]) as [unknown])[0]);
}

test('the encoder for V8 and that of the guest make the same of generated values', async () => {
  const received: unknown[] = [];
  const guest = await loadWithHost(
    {
      find: (value: unknown) => value,
      take: (value: unknown) => {
        received.push(value);
      },
    },
    `const value = () => new Function('find', event)(host.find);
     host.take(value());
     return value();`,
  );
  const identity = await loadBody('return event;');
  let withBytes = 0;
  const { HYPERLIGHT_JS_FUZZ_SEED: first = '1', HYPERLIGHT_JS_FUZZ_STEPS: steps = '400' } = process.env;
  for (let seed = Number(first); seed < Number(first) + Number(steps); seed++) {
    const source = programSource(seed);
    const expected = throughV8(evaluated(source));
    const told = `seed ${seed}: ${source}`;
    if (/shared;|Uint8Array|ArrayBuffer|find/.test(source.slice(source.indexOf('return {')))) withBytes++;
    else assert.deepEqual(expected, JSON.parse(JSON.stringify(evaluated(source))), told);
    assert.deepEqual(await identity.callHandler('f', evaluated(source)), expected, told);
    assert.deepEqual(await guest.callHandler('f', source), expected, told);
    assert.deepEqual(received.splice(0), [expected], told);
  }
  assert.ok(withBytes > Number(steps) / 4 && withBytes < Number(steps), `${withBytes} of them have bytes`);
});

test('what throws while a value is encoded fails the encoding on both sides, and nothing else', async () => {
  const guest = await loadBody('return new Function(event)();');
  const identity = await loadBody('return event;');
  const sources: [source: string, reason: RegExp][] = [
    ['return { bytes: Uint8Array.of(1), get a() { throw new Error("from the getter"); } };', /from the getter/],
    ['return [Uint8Array.of(1), { toJSON() { throw new Error("from toJSON"); } }];', /from toJSON/],
    ['return [Uint8Array.of(1), new Proxy({}, { ownKeys() { throw new Error("from a trap"); } })];', /from a trap/],
    ['const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return [proxy];', /revoked/],
    ['const a = { bytes: Uint8Array.of(1) }; a.a = { get b() { return [a]; } }; return a;', /circular/],
    ['const a = []; a[0] = { toJSON: () => a }; return a;', /circular/],
    ['return [Uint8Array.of(1), 1n];', /BigInt/],
    ['return [Object(1n)];', /BigInt/],
    ['return [{ toJSON: () => 1n }];', /BigInt/],
    ['return [Object.assign(Object(1), { valueOf: () => 1n })];', /BigInt/i],
  ];
  for (const [source, reason] of sources) {
    assert.match(
      (await rejection('ERR_INVALID_ARG', identity.callHandler('f', new Function(source)()))).message,
      reason,
    );
    assert.match((await rejection('ERR_GUEST_ERROR', guest.callHandler('f', source))).message, reason, source);
  }
  assert.deepEqual(await guest.callHandler('f', 'return Uint8Array.of(1);'), Uint8Array.of(1));
  // A BigInt can be given a way to be expressed.
  const source =
    'BigInt.prototype.toJSON = function () { return String(this); }; return [1n, Object(2n), Uint8Array.of(3)];';
  assert.deepEqual(await guest.callHandler('f', source), ['1', '2', Uint8Array.of(3)]);
});

test('a getter that calls a host function does not change what becomes of the bytes beside it', async () => {
  const seen: unknown[] = [];
  const loaded = await loadWithHost(
    { find: (id: number) => ({ id }), take: (...given: unknown[]) => void seen.push(...given) },
    `const value = { get user() { return host.find(1); }, photo: Uint8Array.of(1, 2) };
     host.take(value);
     return value;`,
  );
  const expected = { user: { id: 1 }, photo: Uint8Array.of(1, 2) };
  assert.deepEqual(await loaded.callHandler('f', {}), expected);
  assert.deepEqual(seen, [expected]);
});

test('a toJSON that writes to the console does so once', async () => {
  const lines: string[] = [];
  const { SandboxBuilder } = await import('@hyperlight/js-host-api');
  const proto = await new SandboxBuilder().setHostPrintFn((_, text) => void lines.push(text)).build();
  const sandbox = await proto.loadRuntime();
  const source = 'function handler() { return [{ toJSON() { console.log("once"); return 1; } }, Uint8Array.of(2)]; }';
  sandbox.addHandler('f', source);
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('f', {}), [1, Uint8Array.of(2)]);
  assert.deepEqual(lines, ['once']);
});

test('what all objects were given does not get between a value and its encoding', async () => {
  const pollute = `
    Object.prototype.toJSON = () => 'polluted';
    Array.prototype.toJSON = () => 'polluted';
  `;
  const loaded = await loadBody(`${pollute} return event();`.replace('event()', '[1, { a: 1 }, Uint8Array.of(2)]'));
  assert.equal(await loaded.callHandler('f', {}), 'polluted');
  // A getter that does so when it is read: the object itself has been begun, what comes after has not.
  const source = `return { get a() { Object.prototype.toJSON = () => 'late'; return 1; }, b: {}, c: Uint8Array.of(2) };`;
  const late = await loadBody(`return new Function(${JSON.stringify(source)})();`);
  const expected = { a: 1, b: 'late', c: Uint8Array.of(2) };
  assert.deepEqual(await late.callHandler('f', {}), expected);
  const { stringify, parse } = binary;
  const byteArrays: Uint8Array[] = [];
  try {
    const text = stringify(new Function(source)(), byteArrays);
    Reflect.deleteProperty(Object.prototype, 'toJSON');
    assert.deepEqual(parse(text as string, byteArrays), expected);
  } finally {
    Reflect.deleteProperty(Object.prototype, 'toJSON');
  }
});

test('the built-in classes of bytes have no toJSON', async () => {
  const loaded = await loadBody(`return ['toJSON' in Uint8Array.prototype, 'toJSON' in ArrayBuffer.prototype];`);
  assert.deepEqual(await loaded.callHandler('f', {}), [false, false]);
});

test('raw JSON stays what it says, and no text in it stands for bytes', async () => {
  const loaded = await loadBody(
    String.raw`return [JSON.rawJSON('1.50'), JSON.rawJSON('"\\u00100"'), JSON.rawJSON('null'), Uint8Array.of(1)];`,
  );
  const expected = [1.5, '\u00100', null, Uint8Array.of(1)];
  assert.deepEqual(await loaded.callHandler('f', {}), expected);
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  if (rawJSON) {
    const texts = ['1.50', '"\\u00100"', 'null'];
    assert.deepEqual(throughV8([...texts.map(rawJSON), Uint8Array.of(1)]), expected);
  }
});

test('a result may be nested as deep as 10,000 and no deeper, and what is too large is measured whole', async () => {
  const loaded = await loadBody(
    'if (event.depth) { let v = []; for (let i = 1; i < event.depth; i++) v = [v]; return v; } return "\\u0010".repeat(event.size);',
  );
  const text = JSON.stringify(await loaded.callHandler('f', { depth: 1000 }));
  assert.equal(text, '['.repeat(1000) + ']'.repeat(1000));
  let [deep, depth] = [await loaded.callHandler('f', { depth: 10_000 }), 0];
  for (; deep; depth++) [deep] = deep;
  assert.equal(depth, 10_000);
  const tooDeep = await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', { depth: 10_001 }));
  assert.equal(tooDeep.guestName, 'RangeError');
  const tooLarge = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', { size: 1_000_000 }));
  assert.equal(tooLarge.size, 6_000_002);
});
