// `util.types`: what a value is to the engine.

import { kindOf, proxyParts, typedArrayName } from 'hyperlight:inspect/kinds';
import { classOf } from 'hyperlight:native';

const { isView } = ArrayBuffer;

const ASYNC = [classOf(async () => {}), classOf(async function* () {})];
const GENERATOR = [classOf(function* () {}), classOf(async function* () {})];
const BOXED = ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'];

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const kind = (value) => (isObject(value) && proxyParts(value) === undefined ? kindOf(value) : undefined);
const is = (name) => (value) => kind(value) === name;
const nameOf = (value) => (isObject(value) ? typedArrayName(value) : undefined);

const types = {
  isAnyArrayBuffer: (value) => kind(value) === 'ArrayBuffer' || kind(value) === 'SharedArrayBuffer',
  isArgumentsObject: is('Arguments'),
  isArrayBuffer: is('ArrayBuffer'),
  isArrayBufferView: (value) => isView(value),
  isAsyncFunction: (value) => isObject(value) && ASYNC.includes(classOf(value)),
  isBigIntObject: is('BigInt'),
  isBooleanObject: is('Boolean'),
  isBoxedPrimitive: (value) => BOXED.includes(kind(value)),
  isCryptoKey: (value) => globalThis.CryptoKey !== undefined && value instanceof globalThis.CryptoKey,
  isDataView: is('DataView'),
  isDate: is('Date'),
  isExternal: () => false,
  isGeneratorFunction: (value) => isObject(value) && GENERATOR.includes(classOf(value)),
  isGeneratorObject: (value) => kind(value) === 'Generator' || kind(value) === 'AsyncGenerator',
  isKeyObject: () => false,
  isMap: is('Map'),
  isMapIterator: is('Map Iterator'),
  isModuleNamespaceObject: is('Module'),
  isNativeError: is('Error'),
  isNumberObject: is('Number'),
  isPromise: is('Promise'),
  isProxy: (value) => isObject(value) && proxyParts(value) !== undefined,
  isRegExp: is('RegExp'),
  isSet: is('Set'),
  isSetIterator: is('Set Iterator'),
  isSharedArrayBuffer: is('SharedArrayBuffer'),
  isStringObject: is('String'),
  isSymbolObject: is('Symbol'),
  isTypedArray: (value) => nameOf(value) !== undefined,
  isWeakMap: is('WeakMap'),
  isWeakSet: is('WeakSet'),
};
for (const name of [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
]) {
  types[`is${name}`] = (value) => nameOf(value) === name;
}
for (const [name, test] of Object.entries(types)) Object.defineProperty(test, 'name', { value: name });

export const {
  isAnyArrayBuffer,
  isArgumentsObject,
  isArrayBuffer,
  isArrayBufferView,
  isAsyncFunction,
  isBigInt64Array,
  isBigIntObject,
  isBigUint64Array,
  isBooleanObject,
  isBoxedPrimitive,
  isCryptoKey,
  isDataView,
  isDate,
  isExternal,
  isFloat32Array,
  isFloat64Array,
  isGeneratorFunction,
  isGeneratorObject,
  isInt16Array,
  isInt32Array,
  isInt8Array,
  isKeyObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isNumberObject,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSetIterator,
  isSharedArrayBuffer,
  isStringObject,
  isSymbolObject,
  isTypedArray,
  isUint16Array,
  isUint32Array,
  isUint8Array,
  isUint8ClampedArray,
  isWeakMap,
  isWeakSet,
} = types;
export default types;
