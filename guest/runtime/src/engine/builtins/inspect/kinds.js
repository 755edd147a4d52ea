// What a value is to the engine, whatever its properties and prototypes say.

import * as namespace from 'hyperlight:inspect/text';
import { classOf, proxyParts } from 'hyperlight:native';

const { getPrototypeOf } = Object;
const { apply } = Reflect;
const { get } = Map.prototype;

const kinds = new Map();

function is(kind, ...values) {
  for (const value of values) kinds.set(classOf(value), kind);
}

is('Map', new Map());
is('Set', new Set());
is('WeakMap', new WeakMap());
is('WeakSet', new WeakSet());
is('WeakRef', new WeakRef({}));
is('Map Iterator', new Map().keys());
is('Set Iterator', new Set().keys());
is('Promise', Promise.resolve());
is('Date', new Date(0));
is('RegExp', /x/);
is('Error', new Error());
is('ArrayBuffer', new ArrayBuffer());
is('SharedArrayBuffer', new SharedArrayBuffer());
is('DataView', new DataView(new ArrayBuffer()));
is('Number', Object(0));
is('String', Object(''));
is('Boolean', Object(true));
is('Symbol', Object(Symbol()));
is('BigInt', Object(0n));
is('Module', namespace);
is('Generator', (function* () {})());
is('AsyncGenerator', (async function* () {})());
is(
  'Arguments',
  (function () {
    // biome-ignore lint/complexity/noArguments: this is what it is about
    return arguments;
  })(),
  new Function('a', 'return arguments')(1),
);

/** The kind of an object as the engine knows it; undefined for plain objects, lists, functions and classes of others. */
export function kindOf(value) {
  return apply(get, kinds, [classOf(value)]);
}

const bytes = getPrototypeOf(Uint8Array.prototype);
const tag = Object.getOwnPropertyDescriptor(bytes, Symbol.toStringTag).get;

/** The name of the class of a typed array; undefined for what is none. */
export function typedArrayName(value) {
  return apply(tag, value, []);
}

/** The target and the handler of a proxy, null for one that is revoked; undefined for what is no proxy. */
export { proxyParts };

/** Whether a value is an error: for the engine, or since its class says so. */
export function isError(value) {
  if (kindOf(value) === 'Error') return true;
  for (let object = value, i = 0; i < 100; i++) {
    if (proxyParts(object)) return false;
    object = getPrototypeOf(object);
    if (object === null) return false;
    if (object === Error.prototype) return true;
  }
  return false;
}
