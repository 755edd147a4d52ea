/**
 * Expressions whose values are shown in the guest and in Node.js. Those that differ between versions of Node.js, or depend on
 * the engine, are not among them.
 */
export const VALUES = `
undefined
null
true
false
0
-0
1
-1.5
1e21
1e-7
NaN
-Infinity
Number.MAX_SAFE_INTEGER
123456789.123
0n
-5n
2n ** 70n
''
'text'
'it\\'s'
'"quoted"'
'it\\'s "both"'
'it\\'s "all" \`three\`'
'it\\'s "all" \${x}'
'line\\nbreak'
'tab\\ttab\\r\\n'
'\\x00\\x01\\x1f\\x7f\\x80\\x9f\\xa0'
'back\\\\slash'
'\\b\\f\\v'
'\\ud83d'
'\\udc00x'
'😀 pair'
'日本語'
'é'
Symbol('s')
Symbol()
Symbol.iterator
Symbol.for('a b')
[Symbol('in')]
{ [Symbol('key')]: 1 }
{ [Symbol()]: 1 }
{ [Symbol('a\\nb')]: 1 }
{}
{ a: 1 }
{ a: 1, b: 'two', c: [3] }
{ 'a-b': 1, $a: 2, _b: 3, 4: 5, 'it\\'s': 6, '': 7 }
{ a: undefined, b: null, c: NaN }
{ a: { b: { c: {} } } }
{ a: { b: { c: { d: 1 } } } }
{ a: { b: { c: [1] } } }
{ a: { b: { c: new Map([[1, 2]]) } } }
{ a: { b: { c: () => 1 } } }
{ a: { b: { c: /x/ } } }
{ a: { b: { c: new Date(0) } } }
{ a: { b: { c: new (class Foo { x = 1 })() } } }
{ a: { b: { c: Object.create(null, { x: { value: 1, enumerable: true } }) } } }
{ ['__proto__']: 1 }
Object.create(null)
Object.assign(Object.create(null), { a: 1 })
Object.create({})
Object.create({ a: 1 })
Object.create(Object.create(null))
Object.create(class A {}.prototype)
Object.defineProperty({}, 'hidden', { value: 1 })
Object.freeze({ a: 1 })
[]
[1]
[1, 2, 3]
['a', 'b']
[[]]
[[[]]]
[[[[]]]]
[[[[1]]]]
[undefined, null]
[,]
[, 1]
[1, , 2]
[1, , , 2, ,]
new Array(5)
new Array(1)
Object.assign([1, 2], { extra: true })
Object.assign([], { extra: true })
Object.assign([, 1], { '-1': 2 })
Array.from({ length: 6 }, (_, i) => i)
Array.from({ length: 7 }, (_, i) => i)
Array.from({ length: 26 }, (_, i) => i)
Array.from({ length: 100 }, (_, i) => i)
Array.from({ length: 101 }, (_, i) => i)
Array.from({ length: 102 }, (_, i) => i * 1000)
Array.from({ length: 300 }, (_, i) => 'item ' + i)
Array.from({ length: 30 }, (_, i) => 'x'.repeat(i % 7))
Array.from({ length: 12 }, (_, i) => 'x'.repeat(i * 3))
Array.from({ length: 20 }, (_, i) => i % 2 ? i : String(i))
Array.from({ length: 20 }, (_, i) => ({ i }))
Array.from({ length: 8 }, (_, i) => [i, i])
Array.from({ length: 10 }, (_, i) => BigInt(i) ** 9n)
Array.from({ length: 15 }, (_, i) => -i / 3)
Array.from({ length: 9 }, (_, i) => i % 3 ? null : undefined)
Array.from({ length: 9 }, (_, i) => 'a\\nb' + i)
Array.from({ length: 27 }, (_, i) => '日'.repeat(i % 4))
Array.from({ length: 200 }, () => 'same')
Array.from({ length: 40 }, (_, i) => ['a', 'bb', 'ccc'][i % 3])
[1.5, 22.25, 333.125, 4, 5, 6, 7]
['apple', 'banana', 'cherry', 'date', 'elderberry', 'fig', 'grape', 'honeydew melon']
[true, false, true, false, true, false, true]
new Array(200)
Object.assign(new Array(200), { 150: 1 })
Object.assign(new Array(3), { x: 1 })
new (class Extended extends Array {})(3)
(class Extended extends Array {}).from([1, 2])
Object.setPrototypeOf([1], null)
new Map()
new Map([['a', 1]])
new Map([[{ k: 1 }, { v: 2 }]])
new Map([['a', new Map([['b', new Map([['c', new Map([['d', 1]])]])]])]])
new Map(Array.from({ length: 120 }, (_, i) => [i, i]))
new Map([['long key '.repeat(5), 'long value '.repeat(5)]])
Object.assign(new Map([[1, 2]]), { extra: 1 })
new Set()
new Set([1, 2, 3])
new Set([[1], { a: 1 }])
new Set(Array.from({ length: 120 }, (_, i) => i))
new Set([new Set([new Set([new Set([1])])])])
Object.assign(new Set(), { extra: 1 })
new (class MyMap extends Map {})([[1, 2]])
new (class MySet extends Set {})([1])
new WeakMap()
new WeakSet()
new Date(0)
new Date(1e12)
new Date(NaN)
new Date(-1)
Object.assign(new Date(0), { extra: 1 })
new (class MyDate extends Date {})(0)
[new Date(0)]
/x/
/a\\/b/gimsuy
Object.assign(/x/g, { extra: 1 })
new (class MyRegExp extends RegExp {})('x')
new RegExp('')
Object(1)
Object(-0)
Object('text')
Object('')
Object(true)
Object(Symbol('s'))
Object(5n)
Object.assign(Object('ab'), { extra: 1 })
Object.assign(Object(1), { extra: 1 })
new (class MyNumber extends Number {})(1)
new (class MyString extends String {})('x')
function named() {}
() => {}
(() => () => {})()
function () {}
async function later() {}
async () => {}
function* generate() {}
async function* generateLater() {}
class A {}
class {}
class A extends Array {}
class extends null {}
(() => { class A { static x = 1 } return A })()
(() => { class A { static [Symbol.toStringTag] = 'T' } return A })()
(() => { class Base {} return class Derived extends Base {} })()
Object.assign(function f() {}, { a: 1 })
Object.setPrototypeOf(function f() {}, null)
{ f() {}, get g() { return 1 }, h: async () => {}, *i() {}, j: class {} }
Object.defineProperty(() => {}, 'name', { value: '' })
Math.max
Array
Object
Map
parseInt
Math
JSON
Reflect
Atomics
Function.prototype.call.bind(function bound() {})
(function () { return arguments })(1, 'a')
(function () { 'use strict'; return arguments })()
(function* () {})()
(async function* () {})()
Promise.resolve()
Promise.resolve(1)
Promise.resolve({ a: 1 })
new Promise(() => {})
(() => { const p = Promise.reject(new Date(0)); p.catch(() => {}); return p })()
Object.assign(Promise.resolve(1), { extra: 1 })
new (class MyPromise extends Promise {})(() => {})
new Uint8Array()
new Uint8Array(3)
new Uint8Array(200)
new Int8Array([-1, 2])
new Uint8ClampedArray([300])
new Int16Array([1])
new Uint16Array([1])
new Int32Array([1])
new Uint32Array([1, 2, 3, 4, 5, 6, 7])
new Float32Array([1.5, -0])
new Float64Array([0.1, NaN])
new BigInt64Array([1n, -2n])
new BigUint64Array(8)
Object.assign(new Uint8Array(1), { extra: 1 })
new (class Bytes extends Uint8Array {})(2)
new ArrayBuffer(0)
new ArrayBuffer(4)
new ArrayBuffer(200)
Uint8Array.of(1, 171, 255).buffer
(() => { const b = new ArrayBuffer(4); structuredClone(b, { transfer: [b] }); return b })()
new SharedArrayBuffer(2)
new DataView(new ArrayBuffer(4), 1)
{ get a() { return 1 } }
{ set a(v) {} }
{ get a() { return 1 }, set a(v) {} }
Object.defineProperty({}, 'a', { get: undefined, enumerable: true })
new (class { get a() { return 1 } })()
new (class Foo {})()
new (class Foo { a = 1; #b = 2 })()
new (class Foo { constructor() { this.self = this } })()
new (class extends class Base {} {})()
new (class Foo { get [Symbol.toStringTag]() { return 'Tag' } })()
new (class Foo { get [Symbol.toStringTag]() { return 'Foo' } })()
{ [Symbol.toStringTag]: 'Own' }
Object.create({ [Symbol.toStringTag]: 'Inherited' })
Object.create(null, { [Symbol.toStringTag]: { value: 'T' } })
Object.assign(Object.create({ constructor: 1 }), { a: 1 })
Object.assign(Object.create({ constructor: { name: 'Fake' } }), { a: 1 })
{ constructor: 'own' }
{ constructor: function Own() {} }
{ hasOwnProperty: 1, toString: 2, valueOf: 3 }
{ toString() { return 'not used' } }
{ toJSON() { return 'not used' } }
{ then() {} }
{ inspect() { return 'not used' } }
new Proxy({ a: 1 }, {})
new Proxy([1, 2], {})
new Proxy(function f() {}, {})
new Proxy(class A {}, {})
new Proxy({}, { get() { throw new Error('a trap ran') }, ownKeys() { throw 1 }, getPrototypeOf() { throw 2 }, has() { throw 3 }, getOwnPropertyDescriptor() { throw 4 } })
{ proxy: new Proxy(new Map([[1, 2]]), {}) }
(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()
[new Proxy([], {})]
(() => { const a = { name: 'a' }; a.self = a; return a })()
(() => { const a = []; a.push(a, [a]); return a })()
(() => { const a = {}, b = { a }; a.b = b; return { a, b } })()
(() => { const a = { x: {} }; a.x.y = a.x; a.z = a; return a })()
(() => { const m = new Map(); m.set('m', m); m.set(m, 1); return m })()
(() => { const s = new Set(); s.add(s); return s })()
(() => { const a = { one: {} }; a.two = a.one; return a })()
(() => { const e = new Error('cyclic'); e.self = e; return e })()
(() => { const e = new Error('cyclic'); e.cause = e; return e })()
(() => { const f = () => {}; f.f = f; return f })()
new Error('message')
new Error('')
new Error()
new TypeError('typed')
new RangeError('two\\nlines')
new Error('with', { cause: new TypeError('inner') })
new Error('with', { cause: 'text' })
new Error('with', { cause: { code: 1 } })
new Error('with', { cause: undefined })
new Error('1', { cause: new Error('2', { cause: new Error('3') }) })
new AggregateError([new Error('a'), new TypeError('b')], 'many')
new AggregateError([], '')
Object.assign(new Error('coded'), { code: 'E_CODE', errno: -2 })
Object.assign(new Error('named'), { name: 'Renamed' })
Object.assign(new Error('named'), { name: 'CustomError' })
Object.assign(new TypeError('named'), { name: 'CustomTypeError' })
new (class ValidationError extends Error {})('bad')
new (class ValidationError extends Error { constructor(m) { super(m); this.name = 'ValidationError' } })('bad')
new (class ValidationError extends Error { constructor(m) { super(m); this.field = 'f' } })('bad')
new (class ValidationError extends Error { get name() { return 'Got' } })('bad')
new (class Failure extends Error {})('bad')
new (class Failure extends TypeError {})('bad')
new (class HttpError extends Error { status = 404 })('Not Found')
Object.defineProperty(new Error('stackless'), 'stack', { value: undefined })
Object.assign(new Error('stackless'), { stack: 'own stack' })
Object.assign(new Error('stackless'), { stack: 'Error: stackless\\n    at own (place:1:1)' })
Object.assign(new Error('x'), { message: 'changed' })
Object.setPrototypeOf(new Error('bare'), null)
{ error: new Error('nested') }
[new Error('nested'), 1]
[[[new Error('deep')]]]
new Map([['error', new Error('in a map')]])
Object.create(Error.prototype)
{ name: 'Error', message: 'no error', stack: 'no stack' }
{ a: 'x'.repeat(30), b: 'y'.repeat(30) }
{ a: 'x'.repeat(34), b: 'y'.repeat(31) }
{ a: 'x'.repeat(34), b: 'y'.repeat(32) }
{ a: 'x'.repeat(34), b: 'y'.repeat(33) }
{ a: 'x'.repeat(100) }
'x'.repeat(100)
['x'.repeat(100)]
'x'.repeat(20000)
{ text: 'first line\\nsecond line which is longer than the width of a usual terminal, by some words\\nthird' }
['a\\nb', 'first line\\nsecond line which is longer than the width of a usual terminal, by some words\\nthird']
{ a: { b: 1, c: { d: 2 } }, e: [{ f: 3 }, { g: [4] }] }
{ users: [{ id: 1, name: 'Ada', tags: ['x', 'y'] }, { id: 2, name: 'Bob', tags: [] }], total: 2, next: null }
{ a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], b: new Set('hello'), c: new Map(Object.entries({ x: 1, y: { z: 2 } })) }
Object.fromEntries(Array.from({ length: 30 }, (_, i) => ['key' + i, i]))
Object.fromEntries(Array.from({ length: 5 }, (_, i) => ['key' + i, { nested: { deeper: i } }]))
{ status: 200, headers: { 'content-type': 'application/json', 'x-id': 'abc' }, body: { ok: true, items: [1, 2, 3] } }
[{ a: 1, b: 2 }, { a: 3, b: 4 }]
[['a', 1], ['b', 2]]
{ matrix: [[1, 0, 0], [0, 1, 0], [0, 0, 1]] }
{ nested: { array: [[[1]]], map: new Map([['k', { v: { w: 1 } }]]) } }
{ n: -0, b: -1n, s: Symbol('s'), u: undefined, f: Math.sin, d: new Date(1), r: /r/ }
[0, -0, 1.0, 1e100, 0.1 + 0.2]
[1n, 2n, 3n]
[[1, [2, [3, [4]]]]]
'a'.match(/(?<letter>a)/)
'abc'.match(/b/)
[...'abc'.matchAll(/./g)]
Object.getOwnPropertyDescriptor({ a: 1 }, 'a')
Object.getOwnPropertyDescriptors({ get a() { return 1 } })
Object.entries({ a: 1, b: [2] })
new Intermediate()
new Point(1, 2)
new Map([[new Point(1, 2), new Set([new Point(3, 4)])]])
[new Point(1, 2), new Intermediate()]
Point
Point.prototype
Intermediate.prototype
new Custom()
[new Custom()]
{ a: { b: { c: new Custom() } } }
new CustomObject()
{ [inspect.custom]() { return 'itself' } }
{ [inspect.custom]() { return 'two\\nlines' } }
{ a: { [inspect.custom]() { return 'two\\nlines' } } }
{ [inspect.custom]() { return 42 } }
{ [inspect.custom]() { return this } }
{ [inspect.custom]: 'no function' }
{ [inspect.custom](depth, options) { return [depth, options.breakLength, typeof options.stylize] } }
{ a: { [inspect.custom](depth, options, i) { return i({ b: { c: { d: { e: 1 } } } }, options) } } }
`
  .trim()
  .split('\n');

/** Expressions of a value and of options for it. */
export const OPTIONS = `
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: 0 }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: 1 }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: Infinity }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: -1 }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null, compact: false }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null, compact: true }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null, compact: 1 }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null, compact: 0 }
{ a: { b: { c: { d: { e: 1 } } } } } ~ { depth: null, compact: 10 }
{ a: 1, b: [1, 2, { c: 3 }] } ~ { breakLength: 10 }
{ a: 1, b: [1, 2, { c: 3 }] } ~ { breakLength: Infinity }
{ a: 'x'.repeat(100), b: 'y'.repeat(100) } ~ { breakLength: Infinity }
{ a: 'x'.repeat(100), b: 'y'.repeat(100) } ~ { breakLength: 40, compact: false }
Array.from({ length: 50 }, (_, i) => i) ~ { compact: false }
Array.from({ length: 50 }, (_, i) => i) ~ { breakLength: 40 }
Array.from({ length: 50 }, (_, i) => i) ~ { maxArrayLength: 5 }
Array.from({ length: 50 }, (_, i) => i) ~ { maxArrayLength: 0 }
Array.from({ length: 50 }, (_, i) => i) ~ { maxArrayLength: 20 }
Array.from({ length: 150 }, (_, i) => i) ~ { maxArrayLength: null }
new Set([1, 2, 3]) ~ { maxArrayLength: 1 }
new Map([[1, 2], [3, 4]]) ~ { maxArrayLength: 1 }
new Map([[1, 2], [3, 4]]) ~ { maxArrayLength: 0 }
new Uint8Array(9) ~ { maxArrayLength: 2 }
new ArrayBuffer(9) ~ { maxArrayLength: 2 }
[1, , 3] ~ { maxArrayLength: 2 }
'x'.repeat(50) ~ { maxStringLength: 10 }
['x'.repeat(50)] ~ { maxStringLength: 0 }
'x'.repeat(11) ~ { maxStringLength: 10 }
{ b: 1, a: 2 } ~ { sorted: true }
{ b: 1, a: 2, c: 3 } ~ { sorted: (a, b) => a < b ? 1 : -1 }
new Set(['b', 'a']) ~ { sorted: true }
new Map([['b', 1], ['a', 2]]) ~ { sorted: true }
Object.assign([3, 1], { z: 1, y: 2 }) ~ { sorted: true }
{ get a() { return { b: 1 } } } ~ { getters: true }
{ get a() { return 1 }, set a(v) {} } ~ { getters: 'get' }
{ get a() { return 'text' }, set a(v) {} } ~ { getters: 'set' }
{ get a() { return null } } ~ { getters: true }
{ get a() { throw new Error('no') } } ~ { getters: true }
[123456789, 1234.5678, -1234567, 0.123456, 1e21, 12] ~ { numericSeparator: true }
[123456789n, -1234n] ~ { numericSeparator: true }
new Proxy({ a: 1 }, {}) ~ { showProxy: true }
new Proxy([1], { get: 1 }) ~ { showProxy: true }
[new Proxy({ a: 1 }, {})] ~ { showProxy: true, depth: 0 }
[1, 2] ~ { showHidden: true }
Object.defineProperty({ a: 1 }, 'hidden', { value: 2 }) ~ { showHidden: true }
Object.defineProperty({}, Symbol('hidden'), { value: 2 }) ~ { showHidden: true }
Object.defineProperty([1], 'hidden', { value: 2 }) ~ { showHidden: true }
new Map([[1, 2]]) ~ { showHidden: true }
new Uint8Array(1) ~ { showHidden: true }
{ a: 1, b: 'x', c: null, d: undefined, e: Symbol('s'), f: 1n, g: true, h: /x/, i: new Date(0), j() {} } ~ { colors: true }
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10] ~ { colors: true }
{ a: { b: { c: {} } } } ~ { colors: true, depth: 0 }
new Map([['a', new Set([1])]]) ~ { colors: true }
new Proxy({}, {}) ~ { colors: true, showProxy: true }
{ get a() { return 1 } } ~ { colors: true }
{ [Symbol('k')]: 'v', 'a-b': 1 } ~ { colors: true }
(() => { const a = {}; return Object.assign(a, { a }) })() ~ { colors: true }
[Object(1), Object('x'), class A {}, new Array(2)] ~ { colors: true }
{ [inspect.custom]() { return 'x' } } ~ { customInspect: false }
{ a: { [inspect.custom](depth, options) { return options.mine } } } ~ { mine: 'passed on' }
new Error('boxed') ~ { compact: false }
{ a: new Error('boxed') } ~ { compact: true }
{ a: { b: 1 }, c: [1, 2], d: new Map([[{ e: 1 }, 'f']]) } ~ { compact: true }
{ a: 'x'.repeat(60), b: { c: 'y'.repeat(60) } } ~ { compact: true }
{ a: { b: {} }, c: [[]], d: 'x' } ~ { compact: false }
`
  .trim()
  .split('\n')
  .map((line) => line.split(' ~ ') as [value: string, options: string]);

/** Arguments of \`format\`. */
export const FORMATS = `
'text'
'%s', 'a'
'%s %s', 'a', 'b'
'%s %s', 'a'
'%s', 'a', 'b', { c: 1 }
'%s'
'%%'
'%% %s', 'a'
'%%%s%%', 'a'
'100%', 1
'%', 1
'%x', 1
'%d', 1
'%d', '42'
'%d', 'x'
'%d', 1.5
'%d', -0
'%d', 5n
'%d', Symbol('s')
'%d', {}
'%d', null
'%d', []
'%d', undefined
'%d', { valueOf() { return 7 } }
'%i', 1.9
'%i', '42px'
'%i', 5n
'%i', Symbol('s')
'%i', {}
'%i', -0.5
'%i', 'x'
'%f', '1.5x'
'%f', 2
'%f', Symbol('s')
'%f', -0
'%f', 'x'
'%j', { a: [1] }
'%j', undefined
'%j', () => {}
'%j', (() => { const a = {}; a.a = a; return a })()
'%j', { toJSON() { return 'x' } }
'%j', 'text'
'%o', { a: 1 }
'%o', 'text'
'%o', 42
'%O', { a: { b: { c: { d: 1 } } } }
'%O', 'text'
'%O', [1, 'a']
'%c', 'color: red'
'%cred%c plain', 'color: red', ''
'%s', null
'%s', undefined
'%s', 1
'%s', -0
'%s', 5n
'%s', Symbol('s')
'%s', true
'%s', {}
'%s', { a: { b: 1 } }
'%s', [1, [2, [3]]]
'%s', () => 1
'%s', function f() {}
'%s', class A {}
'%s', new Date(0)
'%s', /x/
'%s', new Map([[1, 2]])
'%s', new Set([1])
'%s', Object.create(null)
'%s', { toString() { return 'own' } }
'%s', new (class A { toString() { return 'method' } })()
'%s', new (class A {})()
'%s', new (class A extends (class B { toString() { return 'inherited' } }) {})()
'%s', Object('boxed')
'%s', new Uint8Array(2)
'%s', new Proxy({}, { get() { throw 1 } })
'%s%d%i', 'a', 1, 2
'a', 'b'
'a', 1, {}, [], null, undefined
1, 2, 3
1
{ a: 1 }, 'text'
null, 'text'
undefined
'a', 'it\\'s'
{ a: 'it\\'s' }, 'it\\'s'
Symbol('s'), 1n
'', 'a'
'', ''
'%s:%s', 'a', 'b', 'c', 4
'no placeholders', new Map([[1, 2]]), [1, [2, [3, [4]]]]
'%s\\n%s', 'one', 'two'
[1, 2, 3]
'percent 50% of %d', 10
'%s', 'a\\nb'
'%-5s', 'a'
'%5d', 1
`
  .trim()
  .split('\n');

/** Classes that the expressions use. */
export const CLASSES = `
  class Base { base = 1; }
  class Intermediate extends Base { own = 2; }
  class Point { constructor(x, y) { this.x = x; this.y = y; } get length() { return 1; } }
  class Custom { [inspect.custom](depth, options) { return options.stylize('Custom<' + depth + '>', 'special'); } }
  class CustomObject { [inspect.custom]() { return { shown: 'instead' }; } }
`;
