// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is code of guests
// Guest code that would go on for ever, take all memory, or nest without an end: bodies of handlers, by kind and name.
//
// `endless` is what only the host can end. All else comes to an end by itself, with a result or an exception.

type Bodies = Record<string, string>;

export const bombs: Record<string, { endless?: Bodies; ending: Bodies }> = {
  memory: {
    endless: {
      'parameters of a URL': "for (const url = new URL('http://h/'); ; ) url.searchParams.append('a', 'b');",
      'a join of the longest list': "return new Array(2 ** 32 - 1).join('text').length;",
      'a buffer whose size changes all the time':
        'const buffer = new ArrayBuffer(8, { maxByteLength: 1 << 20 }); for (let i = 0; ; i++) buffer.resize((i * 4097) % (1 << 20));',
      'objects that die at once': 'for (;;) ({ list: [1, 2, 3], text: String(Math.random()) });',
      'registrations of what dies at once':
        'const registry = new FinalizationRegistry(() => registry.register({}, 1)); for (;;) { registry.register({}, 1); new WeakRef({}); }',
      'keys that die in a weak map': 'const map = new WeakMap(); for (;;) map.set({}, {});',
    },
    ending: {
      lists: 'for (const all = []; ; ) all.push(new Array(1000).fill(0));',
      'a string that doubles': "for (let text = 'x'; ; ) text += text;",
      'a string of strings':
        "let text = 'x'; for (let i = 0; i < 1e9; i++) text = `${text}y${text}`; return text.length;",
      'a buffer of a tebibyte': 'return new ArrayBuffer(2 ** 40);',
      'many buffers': 'for (const all = []; ; ) all.push(new ArrayBuffer(1 << 20));',
      'a typed array beyond all memory': 'return new Float64Array(2 ** 32);',
      'shared memory that grows':
        'const shared = new SharedArrayBuffer(8, { maxByteLength: 2 ** 31 }); shared.grow(2 ** 31 - 1); return shared.byteLength;',
      'a text repeated to a gibibyte': "return 'x'.repeat(2 ** 30).length;",
      'a text padded to half of that': "return 'x'.padEnd(2 ** 29, 'abc').length;",
      'the longest list, filled': 'return new Array(2 ** 32 - 1).fill(0).length;',
      'a map without an end': 'for (let i = 0, map = new Map(); ; i++) map.set(i, i);',
      'a text cut into its letters': "return 'a'.repeat(1e7).split('').length;",
      'a text that grows where it is replaced': "return 'a'.repeat(3e5).replace(/a/g, '$&'.repeat(3e3)).length;",
      'a text that grows where it is normalised': "return '\\ufdfa'.repeat(1e6).normalize('NFKD').length;",
      'random bytes': 'return crypto.randomBytes(2 ** 31 - 1).length;',
      'text out of bytes': 'return new TextDecoder().decode(new Uint8Array(3e6)).length;',
      'text out of base64': "return atob('A'.repeat(8e6)).length;",
      microtasks: 'for (;;) queueMicrotask(() => {});',
      'a proxy with a million properties':
        "return new Proxy({}, { ownKeys: () => Array.from({ length: 1e6 }, (_, i) => 'k' + i), get: () => 1, " +
        'getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });',
      'an error of megabytes':
        "throw Object.assign(new Error('m'.repeat(2e6)), { name: 'n'.repeat(2e6), stack: 's'.repeat(2e6) });",
    },
  },
  processor: {
    endless: {
      'a loop': 'for (;;);',
      'a loop of calls': 'const f = () => 1; for (;;) f();',
      'a loop that catches everything': 'for (;;) { try { for (;;) null.x; } catch {} finally { continue; } }',
      'a loop that ends in another': 'try { for (;;) throw 1; } finally { for (;;); }',
      'a generator': 'function* all() { for (;;) yield 1; } for (const one of all()) one;',
      'a search in the longest list': 'return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);',
      'a reversal of the longest list': 'return Array.prototype.reverse.call({ length: 2 ** 53 - 1 }).length;',
      'a prototype that asks for itself':
        'const proxy = new Proxy({}, { getPrototypeOf: () => proxy }); return proxy instanceof Object;',
      'numbers that square themselves': 'for (let n = 3n; ; ) n = (n * n) % (1n << 20000n) + 3n;',
      'a comparison that is asked for ever': 'for (;;) new Array(1000).fill(1).sort(() => Math.random() - 0.5);',
      'sleep by atomics': 'const word = new Int32Array(new SharedArrayBuffer(4)); for (;;) Atomics.add(word, 0, 1);',
    },
    ending: {
      'a digest of gigabytes':
        "const hash = crypto.createHash('sha512'); const bytes = new Uint8Array(1e5); for (;;) hash.update(bytes);",
      'a list of itself, flattened': 'const list = []; list.push(list, list); return list.flat(Infinity).length;',
      'a power beyond all memory': 'return String((2n ** 64n) ** (2n ** 20n)).length;',
      'a shift beyond all memory': 'return (1n << (2n ** 40n)).toString().length;',
      'arguments without number': 'return Math.max(...new Array(1e7));',
      'arguments by the length of an object': 'return Math.max.apply(null, { length: 2 ** 31 });',
      'a wait that nobody ends': 'return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0);',
      'a date at the end of time': 'return new Date(8.64e15).toISOString();',
      'a list that a comparison empties':
        'const list = Array.from({ length: 1e4 }, (_, i) => i); return list.sort(() => { list.length = 0; list.push(1); return Math.random() - 0.5; }).length;',
    },
  },
  patterns: {
    endless: {
      'alternatives that overlap': "return /^(a+)+$/.test('a'.repeat(60) + 'b');",
      'two that share': "return /(x+x+)+y/.test('x'.repeat(5000));",
      'counts of counts': "return new RegExp('^(?:(?:(?:a{1,50}){1,50}){1,50}){1,50}$').test('a'.repeat(5000) + 'b');",
    },
    ending: {
      'a reference back': "return /^(.*?)*(\\1)*$/s.test('ab'.repeat(3000) + '!');",
      'a nest of groups': "return new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('a');",
      'a count of counts': "return new RegExp('(?:a{0,65535}){0,65535}').test('b');",
      'a long text, letter by letter': 'return /(?:.|\\s)*x/.test("a".repeat(3e6));',
    },
  },
  nesting: {
    ending: {
      recursion: 'const deeper = () => deeper() + 1; return deeper();',
      'recursion by a getter': 'const object = { get deeper() { return this.deeper; } }; return object.deeper;',
      'recursion by a proxy': 'const proxy = new Proxy({}, { get: (_, key) => proxy[key] }); return proxy.x;',
      'recursion by a conversion': 'const object = { toString: () => `${object}` }; return `${object}`;',
      'recursion by a comparison':
        'const list = [1, 2, 3]; const compare = () => { list.sort(compare); return 0; }; list.sort(compare);',
      'recursion by toJSON': 'const make = () => ({ toJSON: () => ({ inner: make() }) }); return make();',
      'a result of itself by toJSON': 'const object = { toJSON: () => object }; return object;',
      'JSON that is parsed': "return JSON.parse('['.repeat(1e6) + ']'.repeat(1e6)).length;",
      'JSON that is written':
        'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; return JSON.stringify(list).length;',
      'a result': 'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; return list;',
      'a list as text': 'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; return String(list).length;',
      'a list, flattened':
        'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; return list.flat(Infinity).length;',
      'a clone': 'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; return structuredClone(list).length;',
      'a line of the console':
        'let object = {}; for (let i = 0; i < 2e4; i++) object = { object }; console.log(object); return 1;',
      proxies: 'let proxy = {}; for (let i = 0; i < 2e4; i++) proxy = new Proxy(proxy, {}); return proxy.x;',
      'bound functions': 'let f = () => 1; for (let i = 0; i < 2e4; i++) f = f.bind(); return f();',
      classes: 'let C = class {}; for (let i = 0; i < 2e4; i++) C = class extends C {}; return new C();',
      generators:
        'function* deep(n) { if (n) yield* deep(n - 1); yield 1; } let n = 0; for (const one of deep(5000)) n += one; return n;',
      'prototypes that lead back':
        'const object = {}; Object.setPrototypeOf(object, new Proxy({}, { get: (_, key, receiver) => receiver[key] })); return object.x;',
      'a source of brackets': "return eval('('.repeat(1e5) + '1' + ')'.repeat(1e5));",
      'a source of operators': "return new Function('return ' + '!'.repeat(1e6) + '1')();",
      'a source of templates': "return eval('`${'.repeat(5e4) + '1' + '}`'.repeat(5e4));",
      'a source of a million values': "return eval('[' + '0,'.repeat(1e6) + ']').length;",
      'the stack of an error':
        "const deeper = (n) => (n ? deeper(n - 1) : new Error('x').stack.length); return deeper(500);",
      'a stack without a limit':
        'Error.stackTraceLimit = Infinity; const f = () => f(); try { f(); } catch (error) { return error.stack.length; }',
    },
  },
  promises: {
    endless: {
      'microtasks one after the other': 'const again = () => queueMicrotask(again); again(); return 1;',
      'reactions one after the other': 'const again = () => { Promise.resolve().then(again); }; again();',
      'asynchronous functions that wait for nothing': 'const again = async () => { await null; again(); }; again();',
      'a thenable that gives itself': 'return (async () => ({ then(resolve) { resolve(this); } }))();',
      'thenables without an end':
        'const make = () => ({ then: (resolve) => resolve(make()) }); return (async () => make())();',
    },
    ending: {
      'a promise that nobody settles': 'return new Promise(() => {});',
      'a promise of itself':
        'let resolve; const promise = new Promise((settle) => { resolve = settle; }); resolve(promise); return promise;',
      'asynchronous recursion': 'const deeper = async (n) => { await deeper(n + 1); }; return deeper(0);',
    },
  },
  'what the host asks for': {
    endless: {
      'a message of an exception': "throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });",
      'a getter of the result': 'return { get value() { for (;;); } };',
      'toJSON of the result': 'return { toJSON() { for (;;); } };',
      'a list as long as it says':
        "return new Proxy([], { get: (_, key) => (key === 'length' ? 2 ** 32 - 1 : null) });",
      'a name of an exception': 'throw Object.defineProperty(new Error(), "name", { get() { for (;;); } });',
      'a text of an exception': 'throw { toString() { for (;;); } };',
      'what the console shows': "console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { for (;;); } });",
      'a tag that the console asks for': 'console.log({ get [Symbol.toStringTag]() { for (;;); } });',
      'lines of the console': "for (;;) console.log('x'.repeat(100));",
    },
    ending: {
      'getters that throw': 'throw { get message() { throw 1; }, get name() { throw 2; }, get stack() { throw 3; } };',
      'a line of megabytes': "console.log('x'.repeat(5e6)); return 1;",
      'a proxy that the console shows':
        'console.log(new Proxy({}, { get() { for (;;); }, ownKeys() { for (;;); }, getPrototypeOf() { for (;;); } })); return 1;',
      'proxies in proxies that the console shows':
        'let proxy = {}; for (let i = 0; i < 2e4; i++) proxy = new Proxy(proxy, {}); console.log(proxy); return 1;',
      'a value of great depth that is shown completely':
        'let list = []; for (let i = 0; i < 2e4; i++) list = [list]; console.dir(list, { depth: Infinity }); return 1;',
      'a value of a million properties that is shown':
        "const object = {}; for (let i = 0; i < 2e5; i++) object['key' + i] = i; console.log('%o', object, object); return 1;",
      'groups without an end':
        "for (let i = 0; i < 1e5; i++) console.group(); console.log('\\n'.repeat(2e4)); return 1;",
      'a table of a million cells': 'console.table(Array.from({ length: 1e5 }, (_, i) => ({ i, [i]: i }))); return 1;',
      'its own module again': "return import('host').catch(() => 1);",
      'a URL of megabytes': "return new URL('http://h/' + '../'.repeat(1e6)).href.length;",
      'a host name of megabytes': "return new URL('http://' + 'a.'.repeat(2e6) + 'com/').href.length;",
      'a host name to be encoded': "return new URL('http://' + 'ü'.repeat(1e5) + '.com').href.length;",
    },
  },
};
