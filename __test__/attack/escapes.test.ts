// What has broken sandboxes that share an engine with their host, each class of it tried here. What must hold: all that comes
// within the guest's reach is of its own realm, nothing of the host changes, and whoever has the sandbox after a restore
// finds everything as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { loadBody } from '../sandbox';
import { assertData, assertPlainError, watchHost } from './host';

const assertHostUnchanged = watchHost();

/** Beside the bytes that the guest gets, in the memory that Node.js takes small buffers from. */
const SECRET = 'what nobody but the host may see';
const neighbours = [Buffer.from(SECRET), Buffer.from('own'), Buffer.from(SECRET)] as const;

/** What a guest begins with, before anything is tried. `look` tells the host whose a value is. */
const PRELUDE = `
  import * as host from 'host:attack';
  const own = globalThis;
  const { getPrototypeOf, getOwnPropertyDescriptor, ownKeys, apply } = Reflect;
  const { report } = host;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  /** Whose realm a value is of, by the functions that make functions, which every constructor on its chain leads to. */
  function realmOf(value) {
    if (!isObject(value)) return typeof value;
    try {
      for (let object = value, depth = 0; isObject(object) && depth < 20; object = getPrototypeOf(object), depth++) {
        for (const made of [object, getOwnPropertyDescriptor(object, 'constructor')?.value]) {
          if (typeof made !== 'function') continue;
          const maker = getOwnPropertyDescriptor(getPrototypeOf(made) ?? made, 'constructor')?.value;
          if (typeof maker === 'function' && /^(Async|Generator|AsyncGenerator)?Function$/.test(maker.name)) {
            const made = maker('return globalThis')();
            if (made !== own && made?.next === undefined && made?.then === undefined) return 'foreign';
          }
        }
      }
    } catch {}
    return 'own';
  }
  const look = (what, value) => report(String(what), realmOf(value));
`;

/** Bodies of a function that guest code calls with \`event\`. Each looks at something at once. */
const classes: Record<string, string> = {
  'constructors of what is at hand': `
    const values = [event, host, host.give, host.give('object'), host.give('list'), host.give('bytes'), host.give('text'), 1n,
      Symbol.iterator, /x/, new Date(), (async () => {})(), import.meta, new Proxy({}, {}), crypto, console, console.log, JSON,
      new Error('own'), new URL('http://own'), new TextEncoder()];
    for (const value of values) {
      look('a value', value);
      look('its constructor', value.constructor);
      look('the constructor of that', value.constructor?.constructor);
      if (typeof value.constructor?.constructor === 'function') {
        look('its global object', value.constructor.constructor('return globalThis')());
      }
    }
    look('this', this);
    look('the global object of eval', (0, eval)('this'));
    for (const made of [async () => {}, function* () {}, async function* () {}]) look('a maker', made.constructor);
    return values.length;
  `,
  'prototypes of what the host gives': `
    for (const value of [event, host.give('object'), host.give('list'), host.give('bytes'), host.give]) {
      for (let object = value; object; object = getPrototypeOf(object)) {
        look('a prototype', object);
        for (const name of ['polluted', 'isAdmin', 'then', 'get', 'set', 'value', 'toJSON']) {
          try { Object.defineProperty(object, name, { value: undefined, writable: true, configurable: true }); } catch {}
        }
      }
      value.__proto__.polluted = 'by the guest';
    }
    Object.setPrototypeOf(Array.prototype, new Proxy(getPrototypeOf(Array.prototype), {}));
    return {};
  `,
  'exceptions of the host': `
    for (const kind of ['error', 'later', 'own class', 'with properties', 'circular', 'bigint', 'text', 'function', 'deep']) {
      try { host.fail(kind); report('no exception of ' + kind, 'foreign'); } catch (error) {
        look('an exception', error);
        for (let object = error; object; object = getPrototypeOf(object)) {
          for (const key of ownKeys(object)) {
            try { look(key, error[key]); } catch (inner) { look('another exception', inner); }
          }
        }
        host.read([error.stack, error.message, error.name, error.hostName, String(error)].join());
      }
    }
    return 'tried';
  `,
  'what a stack trace is made of': `
    const seen = (error, sites) => {
      look('sites', sites);
      for (const site of sites ?? []) {
        look('a site', site);
        for (let object = site; object && object !== Object.prototype; object = getPrototypeOf(object)) {
          for (const key of ownKeys(object)) {
            try { look(key, typeof site[key] === 'function' ? site[key]() : site[key]); } catch {}
          }
        }
      }
      return sites;
    };
    look('an error', new Error());
    Error.prepareStackTrace = seen;
    Error.stackTraceLimit = Infinity;
    const target = {};
    Error.captureStackTrace?.(target, attempt);
    const failing = [() => new Error().stack, () => target.stack, () => null.property, () => host.fail('error'),
      () => { const deep = () => deep() + 1; deep(); }, () => JSON.parse('{'), () => new URL('no'), () => decodeURI('%')];
    for (const fail of failing) {
      try { look('a stack', fail()); } catch (error) { look('a stack', error.stack); }
    }
    throw new Error('with a stack of its own');
  `,
  'callers and their arguments': `
    const peek = Function('look', 'const { callee } = arguments; for (const key of ["caller", "arguments"]) ' +
      'try { look(key, callee[key]); look("of that", callee.caller?.[key]); } catch (error) { look(key, error); }');
    peek(look);
    [2, 1].sort(() => (peek(look), 0));
    'x'.replace(/x/, () => (peek(look), ''));
    JSON.stringify({ toJSON: () => peek(look) });
    for (const key of ['caller', 'arguments', 'callee']) {
      try { look(key, host.give[key]); } catch (error) { look(key, error); }
    }
    return { toJSON() { peek(look); return 1; } };
  `,
  proxies: `
    const traps = new Proxy({}, {
      get: (_, trap) => (...args) => {
        for (const arg of args) look(trap, arg);
        return Reflect[trap](...args);
      },
    });
    const proxied = [new Proxy({ a: 1 }, traps), new Proxy([1], traps), new Proxy(() => {}, traps), new Proxy(new Error(), traps)];
    look('a proxy', proxied[0]);
    for (const proxy of proxied) {
      try { host.take(proxy, { inner: proxy }); } catch (error) { look('refused', error); }
      try { console.log(proxy); } catch (error) { look('refused', error); }
    }
    look('a result', new Proxy(host.give, traps)('object'));
    look('made', Reflect.construct(new Proxy(class { constructor() { this.at = new.target; } }, traps), []));
    return proxied;
  `,
  'promises with other methods': `
    const { then } = Promise.prototype;
    look('a promise', Promise.resolve());
    class Other extends Promise {
      static get [Symbol.species]() {
        return function (executor) {
          look('an executor', executor);
          executor((value) => look('a value', value), (reason) => look('a reason', reason));
        };
      }
    }
    Promise.prototype.then = function (...reactions) {
      for (const reaction of [this, ...reactions]) look('a reaction', reaction);
      return apply(then, this, reactions);
    };
    Promise.prototype.catch = Promise.prototype.finally = function () { look('caught', this); return this; };
    for (const name of ['resolve', 'reject', 'all', 'withResolvers']) {
      const before = Promise[name];
      Promise[name] = function (...args) { for (const arg of [this, ...args]) look(name, arg); return apply(before, this, args); };
    }
    Object.defineProperty(Promise.prototype, 'constructor', { get() { look('its constructor', this); return Other; } });
    new Other((resolve) => resolve(host.give('object'))).then(() => {});
    return new Other((resolve) => resolve('resolved'));
  `,
  thenables: `
    const thenable = (depth) => ({
      then(resolve, reject) {
        for (const value of [this, resolve, reject, resolve.constructor]) look('of a thenable', value);
        if (depth > 0) resolve(thenable(depth - 1)); else resolve('at last');
        resolve('twice'); reject('as well');
        throw new Error('and an error');
      },
    });
    look('what the host has awaited', host.give('thenable'));
    look('what it has not', host.give('then is data'));
    try { host.take(thenable(1), Promise.resolve(thenable(1))); } catch (error) { look('refused', error); }
    Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { look('asked for then', this); } });
    Promise.resolve({}).then(look);
    return thenable(5);
  `,
  'classes that say what is made of them': `
    const kept = [];
    const species = { get() { return function (...args) { kept.push(this, ...args); return host.give('list'); } } };
    class List extends Array {}
    class Bytes extends Uint8Array {}
    class Memory extends ArrayBuffer {}
    for (const type of [List, Bytes, Memory, RegExp]) Object.defineProperty(type, Symbol.species, species);
    look('a class', Bytes);
    const values = [List.of(1, 2), new Bytes(4), new Memory(4), { list: List.of(new Bytes(2)) }];
    for (const use of [(value) => value.slice(0), (value) => value.map((x) => x), (value) => value.concat(value)]) {
      for (const value of values) try { look('made', use(value)); } catch (error) { look('refused', error); }
    }
    try { host.take(...values); } catch (error) { look('refused', error); }
    for (const value of kept) look('kept', value);
    return values;
  `,
  'hooks of those who show values': `
    const hook = function (...args) { for (const arg of [this, ...args]) look('of a hook', arg); return host.give('text'); };
    const shown = { inspect: 'text', toString: 'text', valueOf: 'text', then: 'text', toJSON: undefined, constructor: 'text',
      'nodejs.util.inspect.custom': 'text', '@@toStringTag': 'text', length: -1, name: null, message: {}, stack: [], code: 'ERR_INTERNAL' };
    look('what is shown', shown);
    for (const symbol of ['nodejs.util.inspect.custom', 'nodejs.util.promisify.custom', 'nodejs.rejection', 'nodejs.webstream.isClosedPromise']) {
      shown[Symbol.for(symbol)] = hook;
    }
    for (const symbol of [Symbol.toPrimitive, Symbol.iterator, Symbol.asyncIterator, Symbol.hasInstance, Symbol.isConcatSpreadable]) {
      shown[symbol] = hook;
    }
    console.log(shown, [shown]); console.error('%o %s %d %c', shown, shown);
    host.take(shown);
    return shown;
  `,
  generators: `
    async function* generate() {
      try { look('sent', yield 1); } finally { look('sent at the end', yield 2); }
    }
    look('its maker', generate.constructor);
    look('its prototype', getPrototypeOf(getPrototypeOf(generate.prototype)));
    const hooked = (what) => ({ get then() { look(what, this); return (resolve) => { look('resolve', resolve); resolve(what); }; } });
    const source = {
      [Symbol.asyncIterator]() { return this; },
      next(...args) { for (const arg of args) look('next', arg); return hooked('next'); },
      return(...args) { for (const arg of args) look('return', arg); return hooked('return'); },
      get throw() { look('throw', this); return undefined; },
    };
    async function* delegate() { yield* source; }
    return (async () => {
      for (const make of [generate, delegate]) {
        for (const step of ['next', 'return', 'throw']) {
          const generator = make();
          try { look(step, await generator.next()); } catch (error) { look('failed', error); }
          try { look(step, await generator[step](hooked(step))); } catch (error) { look('failed', error); }
        }
      }
      return 'tried';
    })();
  `,
  'names of properties that mean something': `
    const text = '{"__proto__":{"polluted":1,"toJSON":1},"constructor":{"prototype":{"polluted":1}},"prototype":{"polluted":1},' +
      '"then":1,"toJSON":1,"toString":1,"valueOf":1,"hasOwnProperty":1,"length":-1,"__defineGetter__":1,"__lookupSetter__":1,"":1}';
    const value = JSON.parse(text);
    look('a value', value);
    const bytes = JSON.parse('{"__proto__":0,"constructor":0}', (key, inner) => (inner === 0 ? Uint8Array.of(1) : inner));
    const made = Object.fromEntries([['__proto__', { polluted: 1 }]]);
    host.take(value, bytes, [made]);
    host.take(Object.create(null, { __proto__: { value: { polluted: 1 }, enumerable: true } }));
    console.log(value);
    return [value, bytes, { made }];
  `,
  'values that turn into others': `
    let turn = 0;
    const changing = () => {
      const answer = function (...args) { for (const arg of [this, ...args]) look('asked', arg); return ['give', 'take', host, {}, 1][turn++ % 5]; };
      return { toString: answer, valueOf: answer, [Symbol.toPrimitive]: answer, toJSON: answer, get length() { return answer(); } };
    };
    look('one', changing());
    const uses = [(value) => host[value], (value) => host.take(value), (value) => host.give(value), (value) => console.log(value),
      (value) => new Error(value).message, (value) => import(value).catch(look), (value) => crypto.createHash(value),
      (value) => new URL(value), (value) => new TextDecoder(value), (value) => atob(value), (value) => eval(value),
      (value) => new Uint8Array(value), (value) => Function(value), (value) => JSON.parse(value), (value) => structuredClone(value),
      (value) => Object.assign(new Error(), { name: value, message: value, stack: value }) + ''];
    for (const use of uses) {
      for (let i = 0; i < 3; i++) try { look('made', use(changing())); } catch (error) { look('refused', error); }
    }
    const properties = ['name', 'message', 'stack'].map((name) => [name, { value: changing(), configurable: true }]);
    throw Object.defineProperties(new Error('last'), Object.fromEntries(properties));
  `,
  'imports that reach further': `
    look('what there is of the module', import.meta);
    const specifiers = ['fs', 'node:fs', 'node:vm', 'node:module', 'child_process', 'std', 'os', 'bjson', 'qjs:std', 'qjs:os', 'qjs:bjson',
      'file:///etc/passwd', '/etc/passwd', '../../etc/passwd', './package.json', 'data:text/javascript,export default 1',
      'http://localhost/x.js', 'blob:x', 'host:', 'host:other', 'host:attack/../other', 'user:other', '@hyperlight/js-host-api',
      'url.so', '/lib/libc.so.6', 'native.node', '', ' ', '\\0', '__proto__', 'constructor'];
    return Promise.all(specifiers.map((specifier) => import(specifier).then(
      () => report('imported ' + specifier, 'foreign'),
      (error) => look('refused', error),
    ))).then(() => 'tried');
  `,
  'what other environments have': `
    for (const known of [navigator, process, process.env, process.nextTick, Buffer, Buffer.from('a').buffer, print, require]) look('known', known);
    const names = ['module', 'exports', 'global', '__filename', '__dirname', 'fetch',
      'WebAssembly', 'Deno', 'Bun', 'std', 'os', 'bjson', 'load', 'loadScript', 'scriptArgs', 'gc', 'Worker', 'SharedWorker',
      'importScripts', 'postMessage', 'MessageChannel', 'BroadcastChannel', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'window',
      'document', 'localStorage', 'indexedDB', 'ShadowRealm', 'Java', 'ActiveXObject', 'ffi', 'syscall', 'readFile', 'quit', 'napi'];
    for (const timer of [setTimeout, setInterval, setImmediate, setTimeout(() => {}, 0)]) look('a timer', timer);
    for (const name of names) report(name, typeof own[name] === 'undefined' && !(name in own) ? 'own' : 'foreign');
    return names;
  `,
  'memory that is shared': `
    const bytes = host.give('bytes');
    look('bytes', bytes);
    const all = new Uint8Array(bytes.buffer);
    report('more bytes than were given', all.length === bytes.length ? 'own' : 'foreign');
    host.read(String.fromCharCode(...all));
    all.fill(0xff);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    const growing = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 }));
    try { host.take(shared, growing, shared.buffer, new DataView(growing.buffer)); } catch (error) { look('refused', error); }
    shared.fill(1);
    growing.buffer.resize(0);
    return bytes;
  `,
  'built-ins that were replaced': `
    // What this is made of is replaced as well, iterators included.
    let isLooking = false;
    const lookOnce = (what, values) => {
      if (isLooking) return;
      isLooking = true;
      try { for (let i = 0; i < values.length; i++) look(what, values[i]); } catch {}
      isLooking = false;
    };
    const { construct, defineProperty } = Reflect;
    const seen = (what, before) => function (...args) {
      lookOnce(what, [this]);
      lookOnce(what, args);
      return new.target ? construct(before, args) : apply(before, this, args);
    };
    look('a built-in', JSON);
    for (const [object, names] of [
      [JSON, ['stringify', 'parse']], [Object, ['keys', 'entries', 'assign', 'create', 'defineProperty', 'getOwnPropertyDescriptor']],
      [Array.prototype, ['push', 'map', 'join', 'slice', 'forEach', Symbol.iterator]], [String.prototype, ['split', 'replace', 'slice', 'indexOf']],
      [Function.prototype, ['toString', 'bind', Symbol.hasInstance]], [Map.prototype, ['get', 'set', 'has']], [Reflect, ['apply', 'get', 'ownKeys']],
      [own, ['Error', 'Promise', 'Uint8Array', 'Map', 'String', 'HostFunctionError']], [RegExp.prototype, ['exec', 'test']],
    ]) {
      for (const name of names) {
        const value = seen(typeof name === 'string' ? name : 'a symbol', object[name]);
        defineProperty(object, name, { __proto__: null, value, configurable: true, writable: true });
      }
    }
    for (const name of ['0', 'value', 'get', 'writable', 'name', 'message', 'stack', 'code', 'cause', 'toJSON', 'error', 'result', 'bytes']) {
      const kept = Symbol(name);
      defineProperty(Object.prototype, name, {
        __proto__: null,
        configurable: true,
        get() { lookOnce('asked for ' + name, [this]); return this[kept]; },
        set(value) { lookOnce('given ' + name, [this, value]); this[kept] = value; },
      });
    }
    try { host.take([{ a: Uint8Array.of(1) }]); } catch {}
    try { host.fail('error'); } catch {}
    try { console.log('line'); } catch {}
    return ['a result'];
  `,
  'functions of the host': `
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'then', 'default', 'prototype', 'name', 'length']) {
      look(name, host[name]);
      look(name, host.give[name]);
    }
    report('names', Object.getOwnPropertyNames(host).sort().join() === 'fail,give,read,report,take' ? 'own' : 'foreign');
    host.read(Function.prototype.toString.call(host.give) + Object.getOwnPropertyNames(host.give));
    const uses = [() => host.give.call(own, 'object'), () => new host.give('object'), () => host.give.bind({}, 'list')(),
      () => Reflect.construct(host.give, ['object'], Object), () => Reflect.apply(host.give, host, { length: 1, 0: 'list' }),
      () => { class Derived extends host.give {} return new Derived(); }, () => host.give(...new Array(100000).fill('object')),
      () => { host.give.added = 1; }, () => { host.give = look; }, () => Object.setPrototypeOf(host, {}), () => delete host.give];
    for (const use of uses) try { look('a result', use()); } catch (error) { look('refused', error); }
    return host;
  `,
};

/** Ways by which the host comes to run what guest code tries. */
const paths: Record<string, string> = {
  'a handler': 'function handler(event) { return attempt(event); }',
  'an asynchronous handler': 'async function handler(event) { await null; return attempt(event); }',
  'a getter of the result': 'function handler(event) { return { get value() { return attempt(event); } }; }',
  'an argument of a host function':
    'function handler(event) { return host.take({ get value() { return attempt(event); } }, { toJSON() { return attempt(event); } }); }',
};

/** What guest code has of its own, as text: all names and kinds of properties, and the functions of the language at work. */
const AUDIT = `
  import * as host from 'host:attack';
  function handler() {
    const found = new Map([[globalThis, 'global']]);
    const lines = [];
    for (const [object, path] of found) {
      for (const key of Reflect.ownKeys(object)) {
        const property = Object.getOwnPropertyDescriptor(object, key);
        const name = path + '.' + String(key);
        lines.push(name + ' ' + Object.keys(property).map((kind) => kind + typeof property[kind]).join());
        for (const value of [property.value, property.get, property.set, Object.getPrototypeOf(object)]) {
          const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
          if (isObject && !found.has(value)) found.set(value, name);
        }
      }
    }
    const works = [JSON.stringify({ a: [1] }), [3, 1, 2].sort().map((n) => 2 * n).join(), 'abc'.replace(/b/, 'x'), host.give('list').length];
    return { names: found.size, lines: lines.join('\\n'), works };
  }
`;

/** What the host gets from guests. */
interface Seen {
  reports: [what: string, realm: string][];
  taken: unknown[];
  texts: string[];
}

const seen: Seen = { reports: [], taken: [], texts: [] };

class OwnClass extends Error {
  readonly socket = { write: () => {} };
}

function give(kind: string): unknown {
  switch (kind) {
    case 'object':
      return { a: { b: 1 }, method() {}, [Symbol.iterator]: [] };
    case 'list':
      return [1, [2], () => {}];
    case 'bytes':
      return neighbours[1];
    case 'thenable':
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      return { then: (resolve: (value: unknown) => void) => resolve({ method() {}, inner: new Map([[1, process]]) }) };
    case 'then is data':
      // biome-ignore lint/suspicious/noThenProperty: it is what is tested
      return { then: { inner: 1 } };
    default:
      return 'text';
  }
}

function fail(kind: string): unknown {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const deep = (): number => deep() + 1;
  switch (kind) {
    case 'later':
      return Promise.reject(new TypeError('from the host'));
    case 'own class':
      throw new OwnClass('from the host');
    case 'with properties':
      throw Object.assign(new Error('from the host', { cause: process }), { code: 'ERR', process, global: globalThis });
    case 'circular':
      return circular;
    case 'bigint':
      return 1n;
    case 'text':
      throw 'from the host';
    case 'function':
      throw () => process;
    case 'deep':
      return deep();
    default:
      throw new Error('from the host');
  }
}

const functions = {
  give,
  fail,
  take: (...values: unknown[]) => void seen.taken.push(...values),
  read: (text: string) => void seen.texts.push(text),
  report: (what: string, realm: string) => void seen.reports.push([what, realm]),
};

/** A sandbox whose handlers are the ways to run an attempt, and the audit. */
async function loadAttempt(body: string): Promise<LoadedJSSandbox> {
  const proto = await new SandboxBuilder().setHostPrintFn((_, text) => void seen.texts.push(text)).build();
  const module = proto.hostModule('attack');
  for (const [name, callback] of Object.entries(functions)) module.register(name, callback);
  const sandbox = await proto.loadRuntime();
  for (const [path, handler] of Object.entries(paths)) {
    sandbox.addHandler(path, `${PRELUDE} function attempt(event) { ${body} } ${handler}`);
  }
  sandbox.addHandler('audit', AUDIT);
  return sandbox.getLoadedSandbox({ wallClockTimeoutMs: 60_000 });
}

/** A sandbox beside all those in which something is tried. */
const neighbour = loadAttempt('');

const LIMITS = { wallClockTimeoutMs: 60_000 };

/** What it has before anything is tried. What is evaluated when it is first used may differ from what the others have. */
const untouched = neighbour.then((sandbox) => sandbox.callHandler('audit', {}, LIMITS));

/** Fails if what an attempt has given to the host shows that it has reached something. */
function assertNothingReached(): void {
  assert.notEqual(seen.reports.length, 0, 'nothing was tried');
  for (const [what, realm] of seen.reports) assert.notEqual(realm, 'foreign', what);
  assertData(seen.taken);
  for (const text of seen.texts) {
    assert.equal(typeof text, 'string');
    for (const secret of [SECRET, __dirname, 'node:internal']) assert.ok(!text.includes(secret), text);
  }
  assert.equal(neighbours.join(), [SECRET, 'own', SECRET].join());
  assertHostUnchanged();
}

/** Runs an attempt by each of the ways, and checks all that must hold after each. */
async function withstand(body: string, check: (outcome: PromiseSettledResult<unknown>) => void): Promise<void> {
  const loaded = await loadAttempt(body);
  const other = await neighbour;
  await untouched;
  const snapshot = await loaded.snapshot();
  const before = await loaded.callHandler('audit', {}, LIMITS);
  assert.ok(before.names > 500);
  for (const path of Object.keys(paths)) {
    Object.assign(seen, { reports: [], taken: [], texts: [] });
    await loaded.restore(snapshot);
    const event = { list: [1, { a: 1 }], bytes: Uint8Array.of(1, 2), text: 'text' };
    const [outcome] = await Promise.allSettled([loaded.callHandler(path, event, LIMITS)]);
    try {
      check(outcome);
      assertNothingReached();
      await loaded.restore(snapshot);
      assert.deepEqual(await loaded.callHandler('audit', {}, LIMITS), before);
      assert.deepEqual(await other.callHandler('audit', {}, LIMITS), await untouched);
    } catch (error) {
      throw new Error(`by way of ${path}`, { cause: error });
    }
  }
}

for (const [name, body] of Object.entries(classes)) {
  test(`${name} lead nowhere`, async () => {
    await withstand(body, (outcome) => {
      if (outcome.status === 'rejected') return assertPlainError(outcome.reason, 'ERR_GUEST_ERROR');
      assertData(outcome.value);
      inspect(outcome.value, { depth: null });
      structuredClone(outcome.value);
    });
  });
}

test('stack traces name functions of the built-in modules and do not hand them out', async () => {
  const loaded = await loadBody(`const found = [];
    const { defineProperty } = Object;
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (_, sites) => sites;
    Object.defineProperty = (...given) => {
      for (const site of new Error().stack) found.push([site.getFunctionName(), typeof site.getFunction()]);
      return defineProperty(...given);
    };
    (1).toLocaleString('de');
    Object.defineProperty = defineProperty;
    Error.prepareStackTrace = prepareStackTrace;
    return found;`);
  const found: [name: string, func: string][] = await loaded.callHandler('f', {}, LIMITS);
  assert.ok(
    found.some(([name]) => name === 'intl'),
    `${found}`,
  );
  assert.deepEqual([...new Set(found.map(([, func]) => func))], ['undefined']);
});

const thrown: Record<string, string> = {
  nothing: 'undefined',
  null: 'null',
  'a symbol': "Symbol('s')",
  'a big number': '2n ** 2000n',
  'a function of the host': 'host.give',
  'the module of the host': 'host',
  'a proxy that refuses': 'new Proxy(new Error(), new Proxy({}, { get() { throw new Error("refused"); } }))',
  'a revoked proxy': '(({ proxy, revoke }) => (revoke(), proxy))(Proxy.revocable(new Error(), {}))',
  'getters that throw': '{ get name() { throw this; }, get message() { throw this; }, get stack() { throw this; } }',
  'getters that change':
    '(() => { let n = 0; return { get name() { return n++ ? {} : "N"; }, get message() { return n++ ? 1n : "M"; } }; })()',
  'an error with the code of another':
    "Object.assign(new Error('m'), { code: 'ERR_CANCELLED', guestName: 'forged', guestStack: {}, terminatedBy: 'wall-clock', limit: 1 })",
  'an error with the properties of objects': `Object.assign(new Error('m'), JSON.parse('{"__proto__":1,"constructor":1,"toString":1,"then":1}'))`,
  'an error that is its own cause': '(() => { const error = new Error("m"); error.cause = error; return error; })()',
  'an aggregate of itself':
    '(() => { const error = new AggregateError([]); error.errors = [error, error]; return error; })()',
  'an error of another class':
    "new (class extends Error { static [Symbol.hasInstance]() { return true; } get name() { return 'N'; } })('m')",
  'an error whose texts are objects':
    '(() => { const o = { toString() { return o; } }; return Object.defineProperties(new Error(), { name: { value: o }, message: { value: o }, stack: { value: o } }); })()',
  'a forged error of a host function': "new HostFunctionError('ERR_INTERNAL: forged')",
};

for (const [name, value] of Object.entries(thrown)) {
  test(`${name} can be thrown and is an error of the guest to the host`, async () => {
    await withstand(`look('thrown', 1); throw ${value};`, (outcome) => {
      assert.ok(outcome.status === 'rejected');
      assertPlainError(outcome.reason, 'ERR_GUEST_ERROR');
    });
  });
}

test('no import that reaches further can be written into a source', async () => {
  for (const specifier of [
    'fs',
    'node:fs',
    'std',
    'os',
    'qjs:std',
    'file:///etc/passwd',
    '../x',
    'host:other',
    'user:other',
    'data:,1',
  ]) {
    const proto = await new SandboxBuilder().build();
    const sandbox = await proto.loadRuntime();
    sandbox.addHandler(
      'f',
      `import * as reached from '${specifier}'; function handler() { return Object.keys(reached); }`,
    );
    const [outcome] = await Promise.allSettled([sandbox.getLoadedSandbox(LIMITS)]);
    assert.ok(outcome.status === 'rejected', specifier);
    assertPlainError(outcome.reason, 'ERR_COMPILE');
    sandbox.dispose();
  }
});

test('the checks find what gets out of a context that shares its engine with the host', () => {
  const prelude = PRELUDE.replace(/^\s*import .*$/m, '');
  const { proxies, 'constructors of what is at hand': constructors } = classes;
  const exception = "try { host.fail('error'); } catch (error) { look('an exception', error); }";
  for (const attempt of [proxies, constructors, exception]) {
    Object.assign(seen, { reports: [], taken: [], texts: [] });
    const body = attempt?.replaceAll('import.meta', '({})').replaceAll('crypto, ', '');
    const context = createContext({ host: functions, URL, TextEncoder, console: { log() {} } });
    runInContext(`${prelude} (function attempt(event) { ${body} })({});`, context);
    assert.ok(seen.reports.some(([, realm]) => realm === 'foreign'));
    assert.throws(assertNothingReached);
  }
});

test('the checks find what was changed on the host', () => {
  const changed = Object.prototype as { polluted?: number };
  changed.polluted = 1;
  try {
    assert.throws(assertHostUnchanged);
  } finally {
    delete changed.polluted;
  }
  assertHostUnchanged();
  const { then } = Promise.prototype;
  // biome-ignore lint/suspicious/noThenProperty: it is put back
  Promise.prototype.then = function (...args) {
    return then.apply(this, args) as never;
  };
  try {
    assert.throws(assertHostUnchanged);
  } finally {
    // biome-ignore lint/suspicious/noThenProperty: see above
    Promise.prototype.then = then;
  }
  assertHostUnchanged();
});
