// structuredClone in the guest. Each case has the result that the HTML Standard's algorithm gives. Node.js must give it too, so
// that the table is no mere opinion, but for the cases that are marked: there Node.js is known to do otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInThisContext } from 'node:vm';
import { load } from './sandbox';

/** What both sides have in scope. */
const PRELUDE = `
  const thrown = (f) => { try { f(); return 'no error'; } catch (e) { return e.name === undefined ? String(e) : e.name; } };
  const thrownBy = (...values) => values.map((value) => thrown(() => structuredClone(value)));
  const kind = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const protoOf = Object.getPrototypeOf;
  const bytes = (view) => [...new Uint8Array(view.buffer ?? view)];
`;

interface Case {
  /** An expression. */
  code: string;
  /** What it gives, as JSON has it. */
  result: unknown;
  /** Why Node.js, or an old one, gives something else. */
  notInNode?: string;
}

const RESIZABLE = 'typeof ArrayBuffer.prototype.resize';
const NODE_SLOTS = 'Node.js clones objects of its own and of the web like plain ones, without what makes them up';
const NODE_DICTIONARY = 'Node.js does not convert the options as WebIDL does';

const CASES: Record<string, Case[]> = {
  primitives: [
    {
      code: '[1, -0, NaN, "a\\ud800", true, null].map((v) => Object.is(structuredClone(v), v))',
      result: Array(6).fill(true),
    },
    { code: 'structuredClone(undefined) === undefined && structuredClone(2n ** 80n) === 2n ** 80n', result: true },
    { code: 'thrownBy(Symbol(), Symbol.iterator)', result: ['DataCloneError', 'DataCloneError'] },
  ],
  'primitives in objects': [
    {
      code: '[Object(false), Object(1.5), Object("text"), Object(1n)].map((v) => { const c = structuredClone(v); return [c !== v, typeof c, typeof c.valueOf(), String(c), protoOf(c) === protoOf(v)]; })',
      result: [
        [true, 'object', 'boolean', 'false', true],
        [true, 'object', 'number', '1.5', true],
        [true, 'object', 'string', 'text', true],
        [true, 'object', 'bigint', '1', true],
      ],
    },
    { code: 'Object.keys(structuredClone(Object.assign(Object("ab"), { x: 1 })))', result: ['0', '1'] },
    { code: 'thrown(() => structuredClone(Object(Symbol())))', result: 'DataCloneError' },
    { code: '(() => { const n = Object(1); n.valueOf = () => 2; return structuredClone(n).valueOf(); })()', result: 1 },
  ],
  dates: [
    { code: 'structuredClone(new Date(5)).getTime()', result: 5 },
    { code: 'Number.isNaN(structuredClone(new Date(NaN)).getTime())', result: true },
    {
      code: '(() => { const d = new Date(5); d.getTime = () => 6; d.x = 1; const c = structuredClone(d); return [c.getTime(), c.x ?? null]; })()',
      result: [5, null],
    },
  ],
  'regular expressions': [
    {
      code: '(() => { const r = /a\\/b/giy; r.lastIndex = 3; r.x = 1; const c = structuredClone(r); return [String(c), c.lastIndex, c.x ?? null, c !== r]; })()',
      result: ['/a\\/b/giy', 0, null, true],
    },
    {
      code: '(() => { const r = /a/g; Object.defineProperty(r, "source", { value: "b" }); Object.defineProperty(r, "flags", { value: "y" }); return String(structuredClone(r)); })()',
      result: '/a/g',
    },
    { code: 'String(structuredClone(new RegExp("")))', result: '/(?:)/' },
    {
      code: '(() => { class R extends RegExp {} return protoOf(structuredClone(new R("x"))) === RegExp.prototype; })()',
      result: true,
    },
  ],
  buffers: [
    {
      code: '(() => { const b = Uint8Array.of(1, 2, 3).buffer; const c = structuredClone(b); new Uint8Array(b)[0] = 9; return [c !== b, kind(c), bytes(c)]; })()',
      result: [true, 'ArrayBuffer', [1, 2, 3]],
    },
    {
      code: '(() => { const b = new ArrayBuffer(4); const [c, u, d] = structuredClone([b, new Uint8Array(b, 1, 2), new DataView(b, 3)]); return [u.buffer === c, d.buffer === c, u.byteOffset, u.length, d.byteOffset, d.byteLength]; })()',
      result: [true, true, 1, 2, 3, 1],
    },
    {
      code: '[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array, Float32Array, Float64Array].map((T) => { const c = structuredClone(new T(3)); return c.constructor === T && c.length === 3; }).every(Boolean)',
      result: true,
    },
    {
      code: '(() => { class B extends Uint8Array {} const b = new B(2); b.x = 1; const c = structuredClone(b); return [c.constructor.name, c.x ?? null]; })()',
      result: ['Uint8Array', null],
    },
    {
      code: '(() => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return [b.byteLength, ...thrownBy(b, { b })]; })()',
      result: [0, 'DataCloneError', 'DataCloneError'],
    },
    {
      code: '(() => { const u = new Uint8Array(8); structuredClone(u.buffer, { transfer: [u.buffer] }); return thrownBy(u, new DataView(new ArrayBuffer(1))); })()',
      result: ['DataCloneError', 'no error'],
    },
    {
      code: `${RESIZABLE} === 'undefined' || (() => { const b = new ArrayBuffer(2, { maxByteLength: 5 }); const c = structuredClone(b); return [c.resizable, c.byteLength, c.maxByteLength]; })()`,
      result: [true, 2, 5],
      notInNode: RESIZABLE,
    },
    {
      // Of a fixed length or following the buffer's, with room for the buffer to grow and without.
      code: `${RESIZABLE} === 'undefined' || [4, 16].flatMap((max) => [[0], [0, 4], [2], [2, 2], [4], [4, 0], [0, 2]].flatMap((place) => [Uint8Array, DataView, Uint16Array].map((T) => {
        const b = new ArrayBuffer(4, { maxByteLength: max });
        new Uint8Array(b).set([1, 2, 3, 4]);
        const v = new T(b, place[0], place[1] === undefined ? undefined : place[1] / (T.BYTES_PER_ELEMENT ?? 1));
        const c = structuredClone(v);
        const intact = String([...new Uint8Array(b)]) === '1,2,3,4' && v.byteLength === c.byteLength && c.byteOffset === place[0];
        c.buffer.resize(max);
        const grown = c.byteLength;
        const full = max - place[0];
        const wanted = place[1] ?? full - full % (T.BYTES_PER_ELEMENT ?? 1);
        c.buffer.resize(3);
        const shrunk = place[0] + (place[1] ?? 0) <= 3 ? place[1] ?? 3 - place[0] - (3 - place[0]) % (T.BYTES_PER_ELEMENT ?? 1) : 'outside';
        let now; try { now = c.byteLength; if (place[0] > 3 || place[1] > 3 - place[0]) now = c instanceof DataView ? now : 'outside'; } catch { now = 'outside'; }
        return intact && grown === wanted && now === shrunk ? 'right' : [T.name, max, ...place, intact, grown, wanted, now, shrunk].join(' ');
      }))).filter((text) => text !== 'right')`,
      result: [],
      notInNode: RESIZABLE,
    },
    {
      code: `${RESIZABLE} === 'undefined' || (() => { const b = new ArrayBuffer(4, { maxByteLength: 8 }); const v = [new Uint8Array(b, 2, 2), new DataView(b, 2, 2), new Uint8Array(b, 2)]; b.resize(1); return thrownBy(...v); })()`,
      result: ['DataCloneError', 'DataCloneError', 'DataCloneError'],
      notInNode: RESIZABLE,
    },
    {
      code: '(() => { const s = new SharedArrayBuffer(4); const c = structuredClone(s); new Uint8Array(c)[1] = 7; return [c !== s, kind(c), bytes(s)]; })()',
      result: [true, 'SharedArrayBuffer', [0, 7, 0, 0]],
    },
    {
      code: '(() => { const s = new SharedArrayBuffer(4); const [a, b] = structuredClone([new Uint8Array(s, 1), s]); return [a.buffer === b, a.length]; })()',
      result: [true, 3],
    },
  ],
  collections: [
    {
      code: '(() => { const k = {}; const m = new Map([[k, [k]], [NaN, 1]]); m.x = 1; const c = structuredClone(m); const [[k2, [v2]]] = c; return [k2 === v2, k2 !== k, c.get(NaN), c.size, c.x ?? null]; })()',
      result: [true, true, 1, 2, null],
    },
    {
      code: '(() => { const s = new Set(); s.add(s).add(1); const c = structuredClone(s); return [c.has(c), c.has(1), c.size]; })()',
      result: [true, true, 2],
    },
    {
      code: '(() => { const m = new Map([[1, { get a() { m.set(2, 2); m.delete(3); return 1; } }], [3, 3]]); return [...structuredClone(m).keys()]; })()',
      result: [1, 3],
    },
    {
      code: '(() => { const s = new Set([{ get a() { s.add(2); return 1; } }]); return structuredClone(s).size; })()',
      result: 1,
    },
    {
      code: '(() => { class M extends Map { get() { return 9; } forEach() {} } const m = new M([[1, 2]]); const c = structuredClone(m); return [protoOf(c) === Map.prototype, c.get(1)]; })()',
      result: [true, 2],
    },
  ],
  arrays: [
    {
      code: '(() => { const a = [1, , undefined, null]; a.x = 1; a.length = 6; const c = structuredClone(a); return [1 in c, 2 in c, c.length, c.x, Object.keys(c)]; })()',
      result: [false, true, 6, 1, ['0', '2', '3', 'x']],
    },
    {
      code: '(() => { class A extends Array {} const c = structuredClone(A.of(1)); return protoOf(c) === Array.prototype; })()',
      result: true,
    },
    {
      code: '(() => { const a = []; a.length = 4294967295; return structuredClone(a).length; })()',
      result: 4294967295,
    },
    {
      code: '(() => { const a = [1, 2, 3]; Object.defineProperty(a, 0, { get() { a.length = 1; return 5; }, enumerable: true }); const c = structuredClone(a); return [c.length, c[0], 1 in c]; })()',
      result: [3, 5, false],
    },
    {
      code: '(() => { const a = [1]; Object.defineProperty(a, "y", { value: 1 }); a[Symbol()] = 1; return Reflect.ownKeys(structuredClone(a)); })()',
      result: ['0', 'length'],
    },
  ],
  objects: [
    {
      code: '(() => { const o = JSON.parse(\'{"__proto__":{"a":1},"b":2}\'); const c = structuredClone(o); return [Object.keys(c), protoOf(c) === Object.prototype, c.a ?? null]; })()',
      result: [['__proto__', 'b'], true, null],
    },
    {
      code: '(() => { Object.defineProperty(Object.prototype, "q", { set() { throw 1; }, configurable: true }); try { return structuredClone(Object.fromEntries([["q", 1]])).q; } finally { delete Object.prototype.q; } })()',
      result: 1,
    },
    {
      code: '(() => { class C { constructor() { this.a = 1; } get b() { return 2; } } const c = structuredClone(new C()); return [c.constructor === Object, c.a, c.b ?? null]; })()',
      result: [true, 1, null],
    },
    { code: '(() => { class C { #p = 1; a = 2; } return structuredClone(new C()); })()', result: { a: 2 } },
    {
      code: '(() => { const o = Object.create(null); o.a = 1; return protoOf(structuredClone(o)) === Object.prototype; })()',
      result: true,
    },
    {
      code: '(() => { const o = { a: 1, [Symbol.iterator]: 2 }; Object.defineProperty(o, "hidden", { value: 1 }); return Reflect.ownKeys(structuredClone(o)); })()',
      result: ['a'],
    },
    {
      code: '(() => { let n = 0; const o = { get a() { n++; return {}; } }; const c = structuredClone([o, o]); return [n, c[0] === c[1], Object.getOwnPropertyDescriptor(c[0], "a").writable]; })()',
      result: [1, true, true],
    },
    {
      code: '(() => { const log = []; const o = { get b() { log.push("b"); delete o.d; return 1; }, get a() { log.push("a"); o.z = 1; return 2; }, d: 3, 1: 4 }; return [structuredClone(o), log]; })()',
      result: [{ '1': 4, b: 1, a: 2 }, ['b', 'a']],
    },
    {
      code: '(() => { const o = {}; o.self = { o }; const c = structuredClone(o); return c.self.o === c && c !== o; })()',
      result: true,
    },
    { code: 'thrown(() => structuredClone({ get a() { throw "own"; } }))', result: 'own' },
    { code: 'Object.isFrozen(structuredClone(Object.freeze({ a: 1 })))', result: false },
    { code: 'protoOf(structuredClone(Object.prototype)) === Object.prototype', result: true },
  ],
  errors: [
    {
      code: '[new Error("m"), new EvalError("m"), new RangeError("m"), new ReferenceError("m"), new SyntaxError("m"), new TypeError("m"), new URIError("m")].map((e) => { const c = structuredClone(e); return [protoOf(c) === protoOf(e), c.message, c.stack === e.stack, kind(c), Object.keys(c).length].join(); })',
      result: Array(7).fill('true,m,true,Error,0'),
    },
    {
      code: '(() => { const e = new Error("m"); e.name = "TypeError"; e.code = "X"; const c = structuredClone(e); return [c instanceof TypeError, Object.hasOwn(c, "name"), c.code ?? null]; })()',
      result: [true, false, null],
    },
    {
      code: '(() => { class MyError extends RangeError { name = "MyError"; } const c = structuredClone(new MyError("m")); return [protoOf(c) === Error.prototype, c.name]; })()',
      result: [true, 'Error'],
    },
    {
      code: '(() => { let n = 0; const e = new Error("m"); Object.defineProperty(e, "name", { get() { n++; return "RangeError"; } }); return [structuredClone(e) instanceof RangeError, n]; })()',
      result: [true, 1],
      notInNode: 'Node.js 20 reads it twice',
    },
    {
      code: '(() => { const e = new Error("m"); Object.defineProperty(e, "message", { get() { throw 1; } }); return Object.hasOwn(structuredClone(e), "message"); })()',
      result: false,
      notInNode: 'Node.js reads its message',
    },
    {
      code: '(() => { const e = new Error(); const f = new Error(); f.message = { toString: () => "text" }; return [Object.hasOwn(structuredClone(e), "message"), structuredClone(f).message]; })()',
      result: [false, 'text'],
    },
    {
      code: '(() => { const e = new Error("m"); e.message = Symbol(); return thrown(() => structuredClone(e)); })()',
      result: 'TypeError',
    },
    {
      code: '(() => { const e = new Error("m"); Object.defineProperty(e, "message", { value: "x", enumerable: true }); const d = Object.getOwnPropertyDescriptor(structuredClone(e), "message"); return [d.enumerable, d.writable, d.configurable]; })()',
      result: [false, true, true],
    },
    {
      code: '(() => { const a = new Error("a"); const e = new Error("e", { cause: [a] }); a.cause = e; const c = structuredClone(e); return [c.cause[0].message, c.cause[0].cause === c, Object.keys(c).length]; })()',
      result: ['a', true, 0],
      notInNode: 'Node.js 18 has no causes here',
    },
    {
      code: 'thrown(() => structuredClone(new Error("m", { cause() {} })))',
      result: 'DataCloneError',
      notInNode: 'Node.js 18 has no causes here',
    },
    {
      code: '(() => { const c = structuredClone(new AggregateError([new RangeError("a")], "m")); return [c.constructor.name, c.message, c.errors[0] instanceof RangeError]; })()',
      result: ['Error', 'm', true],
      notInNode: 'Node.js leaves out what an error keeps beside the standard',
    },
    {
      code: '(() => { const e = new DOMException("m", "AbortError"); e.x = 1; const c = structuredClone(e); return [c instanceof DOMException, c !== e, c.name, c.message, c.code, c.stack === e.stack, c.x ?? null]; })()',
      result: [true, true, 'AbortError', 'm', 20, true, null],
      notInNode: NODE_SLOTS,
    },
  ],
  'what cannot be cloned': [
    {
      code: 'thrownBy(() => 1, class {}, { f() {} }, [Math.max], new Proxy({}, {}), new Proxy([], {}), new Proxy(() => 1, {}))',
      result: Array(7).fill('DataCloneError'),
    },
    {
      code: 'thrownBy(Promise.resolve(), new WeakMap(), new WeakSet(), new WeakRef({}), new FinalizationRegistry(() => {}))',
      result: Array(5).fill('DataCloneError'),
    },
    {
      code: 'thrownBy((function* () {})(), (async function* () {})(), [].values(), new Map().keys(), new Set().values(), "".matchAll(/x/g), ""[Symbol.iterator]())',
      result: Array(7).fill('DataCloneError'),
    },
    {
      code: '(function () { return thrownBy(arguments); })(1).concat((function () { "use strict"; return thrownBy(arguments); })(1))',
      result: ['DataCloneError', 'DataCloneError'],
    },
    { code: 'thrown(() => structuredClone(globalThis))', result: 'DataCloneError' },
    {
      code: 'thrownBy(new URL("http://h"), new URLSearchParams("a"), new URLSearchParams("a").keys(), new TextEncoder(), new TextDecoder())',
      result: Array(5).fill('DataCloneError'),
      notInNode: NODE_SLOTS,
    },
    {
      code: '(() => { try { structuredClone(() => 1); } catch (e) { return [e instanceof DOMException, e.code]; } })()',
      result: [true, 25],
    },
  ],
  transfers: [
    {
      code: '(() => { const b = Uint8Array.of(1, 2).buffer; const c = structuredClone({ b, u: new Uint8Array(b, 1) }, { transfer: [b] }); return [b.byteLength, bytes(c.b), c.u.buffer === c.b, [...c.u]]; })()',
      result: [0, [1, 2], true, [2]],
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); structuredClone(1, { transfer: [b] }); return b.byteLength; })()',
      result: 0,
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); const u = new Uint8Array(b); const e = thrown(() => structuredClone([u, () => 1], { transfer: [b] })); return [e, b.byteLength]; })()',
      result: ['DataCloneError', 3],
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); const o = { get a() { return b.byteLength; }, b }; return structuredClone(o, { transfer: [b] }).a; })()',
      result: 3,
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); return [thrown(() => structuredClone(b, { transfer: [b, b] })), b.byteLength]; })()',
      result: ['DataCloneError', 3],
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); structuredClone(b, { transfer: [b] }); return thrown(() => structuredClone(1, { transfer: [b] })); })()',
      result: 'DataCloneError',
      notInNode: 'Node.js 20 takes a detached buffer',
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); const log = []; const e = thrown(() => structuredClone({ get a() { log.push("read"); structuredClone(b, { transfer: [b] }); } }, { transfer: [b] })); return [e, log]; })()',
      result: ['DataCloneError', ['read']],
      notInNode: 'Node.js 20 takes a detached buffer',
    },
    {
      code: '[{}, new SharedArrayBuffer(1), new Uint8Array(1), () => 1, new Map()].map((v) => thrown(() => structuredClone(1, { transfer: [v] })))',
      result: Array(5).fill('DataCloneError'),
      notInNode: NODE_DICTIONARY,
    },
    {
      code: '[[1], ["a"], [null], [Symbol()], 1, "", null, {}].map((transfer) => thrown(() => structuredClone(1, { transfer })))',
      result: Array(8).fill('TypeError'),
      notInNode: NODE_DICTIONARY,
    },
    {
      code: '(() => { const b = new ArrayBuffer(3); structuredClone(1, { transfer: new Set([b]) }); return b.byteLength; })()',
      result: 0,
    },
    {
      code: `${RESIZABLE} === 'undefined' || (() => { const b = new ArrayBuffer(2, { maxByteLength: 9 }); const c = structuredClone(b, { transfer: [b] }); return [c.resizable, c.maxByteLength, b.byteLength]; })()`,
      result: [true, 9, 0],
      notInNode: RESIZABLE,
    },
  ],
  arguments: [
    { code: 'thrown(() => structuredClone())', result: 'TypeError' },
    {
      code: '[1, "x", Symbol()].map((options) => thrown(() => structuredClone(1, options)))',
      result: ['TypeError', 'TypeError', 'TypeError'],
    },
    {
      code: '[structuredClone(1, undefined), structuredClone(2, null), structuredClone(3, {}), structuredClone(4, { transfer: undefined })]',
      result: [1, 2, 3, 4],
    },
    {
      code: '[structuredClone.length, structuredClone.name]',
      result: [1, 'structuredClone'],
      notInNode: NODE_DICTIONARY,
    },
  ],
};

for (const [subject, cases] of Object.entries(CASES)) {
  test(`structuredClone follows the standard: ${subject}`, async () => {
    const loaded = await load({ f: `${PRELUDE} export function handler(code) { return eval(code); }` });
    for (const { code, result, notInNode } of cases) {
      assert.deepEqual(await loaded.callHandler('f', code), result, code);
      if (notInNode !== undefined) continue;
      const inNode = runInThisContext(`(() => { ${PRELUDE} return JSON.stringify(${code}); })()`);
      assert.deepEqual(JSON.parse(inNode), result, `in Node.js: ${code}`);
    }
    loaded.dispose();
  });
}

test('structuredClone does what it does whatever the guest has changed', async () => {
  const loaded = await load({
    f: `export function handler() {
      const [map, bytes, error] = [new Map([[1, 2]]), Uint8Array.of(3, 4), new TypeError('m')];
      const changed = { value() { throw new Error('changed'); } };
      const { defineProperty } = Object;
      for (const name of ['get', 'set', 'has', 'forEach']) defineProperty(Map.prototype, name, changed);
      for (const name of ['call', 'apply', 'bind']) defineProperty(Function.prototype, name, changed);
      for (const name of ['push', Symbol.iterator]) defineProperty(Array.prototype, name, changed);
      defineProperty(Date.prototype, 'getTime', changed);
      defineProperty(RegExp.prototype, 'exec', changed);
      Object.keys = Object.defineProperty = Object.getOwnPropertyDescriptor = Object.hasOwn = undefined;
      const clone = structuredClone({ list: [1, { a: /x/ }], date: new Date(1), map, bytes, error });
      return String(clone.list[1].a) + clone.map.size + clone.list[0] + clone.bytes[1] + clone.error.message;
    }`,
  });
  assert.equal(await loaded.callHandler('f', null), '/x/114m');
  loaded.dispose();
});
