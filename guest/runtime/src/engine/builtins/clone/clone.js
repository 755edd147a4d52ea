// structuredClone, as the HTML Standard has it: a value is serialized to records, and these become the clone. All of the guest's
// code that this can run, such as getters, runs while serializing. What is transferred is detached between the two.

import { classOf, sharing } from 'hyperlight:native';
import { clonerOf, dictionary, isPlatformObject, requiring } from 'hyperlight:platform';

// As they are before any guest code runs, which may change them.
const { bind, call } = Function.prototype;
const { create, defineProperty, getOwnPropertyDescriptor, hasOwn, keys } = Object;
const uncurried = (method) => bind.call(call, method);
const getter = (object, name) => uncurried(getOwnPropertyDescriptor(object, name).get);

const booleanOf = uncurried(Boolean.prototype.valueOf);
const numberOf = uncurried(Number.prototype.valueOf);
const bigIntOf = uncurried(BigInt.prototype.valueOf);
const stringOf = uncurried(String.prototype.valueOf);
const timeOf = uncurried(Date.prototype.getTime);
const compiled = uncurried(RegExp.prototype.compile);
const mapGet = uncurried(Map.prototype.get);
const mapHas = uncurried(Map.prototype.has);
const mapSet = uncurried(Map.prototype.set);
const mapForEach = uncurried(Map.prototype.forEach);
const setAdd = uncurried(Set.prototype.add);
const setForEach = uncurried(Set.prototype.forEach);
const stackOf = getter(Error.prototype, 'stack');
const nameOf = getter(DOMException.prototype, 'name');
const messageOf = getter(DOMException.prototype, 'message');
const sizeOf = getter(ArrayBuffer.prototype, 'byteLength');
const maxSizeOf = getter(ArrayBuffer.prototype, 'maxByteLength');
const isDetached = getter(ArrayBuffer.prototype, 'detached');
const isResizable = getter(ArrayBuffer.prototype, 'resizable');
const resize = uncurried(ArrayBuffer.prototype.resize);
const transferred = uncurried(ArrayBuffer.prototype.transfer);
const sharedSizeOf = getter(SharedArrayBuffer.prototype, 'byteLength');
const sharedMaxSizeOf = getter(SharedArrayBuffer.prototype, 'maxByteLength');
const isGrowable = getter(SharedArrayBuffer.prototype, 'growable');
const TypedArray = Object.getPrototypeOf(Uint8Array);
const copyInto = uncurried(TypedArray.prototype.set);
const elementAt = uncurried(TypedArray.prototype.at);

const BUFFER = classOf(new ArrayBuffer());
const SHARED_BUFFER = classOf(new SharedArrayBuffer());
const ERRORS = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

export const structuredClone = requiring(function structuredClone(value, options = undefined) {
  const buffers = listOfObjects(dictionary(options).transfer);
  const memory = new Map();
  for (let i = 0; i < buffers.length; i++) {
    if (classOf(buffers[i]) !== BUFFER) throw failure('Only an ArrayBuffer can be transferred');
    if (mapHas(memory, buffers[i])) throw failure('An ArrayBuffer is to be transferred twice');
    mapSet(memory, buffers[i], new Record());
  }
  const record = serialized(value, memory);
  for (let i = 0; i < buffers.length; i++) {
    if (isDetached(buffers[i])) throw failure('A detached ArrayBuffer cannot be transferred');
    mapGet(memory, buffers[i]).clone = transferred(buffers[i]);
  }
  return deserialized(record);
});

/** What WebIDL makes of a value for a `sequence<object>`. */
function listOfObjects(value) {
  if (value === undefined) return [];
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError('transfer must be iterable');
  const list = [];
  for (const item of value) {
    if ((typeof item !== 'object' && typeof item !== 'function') || item === null) {
      throw new TypeError('what is transferred must be an object');
    }
    list[list.length] = item;
  }
  return list;
}

function failure(message) {
  return new DOMException(message, 'DataCloneError');
}

/** What an object is serialized to; a primitive is its own record. */
class Record {
  /** The clone, once it is there. */
  clone;
  /** Makes the clone, if only the deserialization can do that. */
  make;
  /** Puts clones into the clone. */
  fill;

  constructor(clone) {
    this.clone = clone;
  }
}

function deserialized(record) {
  if (typeof record !== 'object' || record === null) return record;
  const { make, fill } = record;
  if (make) {
    record.make = undefined;
    record.clone = make();
  }
  if (fill) {
    // What it holds may hold it.
    record.fill = undefined;
    fill(record.clone);
  }
  return record.clone;
}

/** Functions that serialize an object, by the number that the engine gives to objects with the same internal slots. */
const SERIALIZERS = [];

function serialized(value, memory) {
  switch (typeof value) {
    case 'symbol':
      throw failure('A symbol cannot be cloned');
    case 'object':
    case 'function':
      break;
    default:
      return value;
  }
  if (value === null) return value;
  const known = mapGet(memory, value);
  if (known) return known;
  const serialize = SERIALIZERS[classOf(value)];
  if (serialize) return serialize(value, memory);
  throw failure(`${typeof value === 'function' ? 'A function' : 'An object of this kind'} cannot be cloned`);
}

function remember(memory, value, clone) {
  const record = new Record(clone);
  mapSet(memory, value, record);
  return record;
}

/** Has objects like the sample serialized so. */
function serializer(sample, serialize) {
  SERIALIZERS[classOf(sample)] = serialize;
}

/** Has objects like the sample cloned so, who hold no other objects. */
function cloner(sample, clone) {
  serializer(sample, (value, memory) => remember(memory, value, clone(value)));
}

cloner(Object(false), (value) => Object(booleanOf(value)));
cloner(Object(0), (value) => Object(numberOf(value)));
cloner(Object(0n), (value) => Object(bigIntOf(value)));
cloner(Object(''), (value) => Object(stringOf(value)));
cloner(new Date(0), (value) => new Date(timeOf(value)));
cloner(/x/, (value) => compiled(/(?:)/, value));
cloner(new SharedArrayBuffer(), (value) => sharing(value, isGrowable(value) ? sharedMaxSizeOf(value) : 0));

cloner(new ArrayBuffer(), (value) => {
  if (isDetached(value)) throw failure('A detached ArrayBuffer cannot be cloned');
  const size = sizeOf(value);
  const clone = isResizable(value)
    ? new ArrayBuffer(size, { __proto__: null, maxByteLength: maxSizeOf(value) })
    : new ArrayBuffer(size);
  copyInto(new Uint8Array(clone), new Uint8Array(value));
  return clone;
});

cloner(new DOMException(), (value) => {
  const clone = new DOMException(messageOf(value), nameOf(value));
  const stack = getOwnPropertyDescriptor(value, 'stack')?.value;
  return typeof stack === 'string' ? define(clone, 'stack', stack, false) : clone;
});

/** Whether this describes a property that has a value and no getter. */
function isData(property) {
  return property !== undefined && hasOwn(property, 'value');
}

// One for all properties, since making a descriptor takes longer than defining a property.
const descriptor = { __proto__: null, value: undefined, configurable: true, enumerable: true, writable: true };

function define(object, name, value, enumerable) {
  descriptor.value = value;
  descriptor.enumerable = enumerable;
  defineProperty(object, name, descriptor);
  descriptor.value = undefined;
  return object;
}

const arrayGetter = (name) => getter(TypedArray.prototype, name);
const ARRAY_VIEW = {
  bufferOf: arrayGetter('buffer'),
  offsetOf: arrayGetter('byteOffset'),
  sizeOf: arrayGetter('byteLength'),
  lengthOf: arrayGetter('length'),
  // It throws if the array is out of bounds.
  check: (value) => elementAt(value, 0),
};
const viewGetter = (name) => getter(DataView.prototype, name);
const DATA_VIEW = {
  bufferOf: viewGetter('buffer'),
  offsetOf: viewGetter('byteOffset'),
  sizeOf: viewGetter('byteLength'),
  lengthOf: viewGetter('byteLength'),
  check: viewGetter('byteLength'),
};

function viewSerializer(View, slots) {
  serializer(new View(new ArrayBuffer()), (value, memory) => {
    if (!isInBounds(value, slots)) throw failure('A view outside of its buffer cannot be cloned');
    const offset = slots.offsetOf(value);
    const length = isFixed(value, slots) ? slots.lengthOf(value) : undefined;
    const buffer = serialized(slots.bufferOf(value), memory);
    const record = remember(memory, value);
    record.make = () => new View(deserialized(buffer), offset, length);
    return record;
  });
}

function isInBounds(value, { check }) {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
}

/** Whether a view has a length of its own, not what there is in its buffer. Only a change of the buffer's size tells. */
function isFixed(value, slots) {
  const buffer = slots.bufferOf(value);
  const isShared = classOf(buffer) === SHARED_BUFFER;
  if (!(isShared ? isGrowable(buffer) : isResizable(buffer))) return true;
  const size = isShared ? sharedSizeOf(buffer) : sizeOf(buffer);
  const length = slots.sizeOf(value);
  const end = slots.offsetOf(value) + length;
  const most = 8; // bytes of an element
  if (size - end >= most) return true;
  // Shared memory only ever grows, so this cannot be tried.
  if (isShared) return false;
  if (maxSizeOf(buffer) - size >= most) {
    resize(buffer, size + most);
    const isSame = slots.sizeOf(value) === length;
    resize(buffer, size);
    return isSame;
  }
  if (length === 0) return true;
  const tail = new Uint8Array(new Uint8Array(buffer, end - 1));
  resize(buffer, end - 1);
  const isOutside = !isInBounds(value, slots);
  resize(buffer, size);
  copyInto(new Uint8Array(buffer), tail, end - 1);
  return isOutside;
}

viewSerializer(DataView, DATA_VIEW);
for (const View of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float16Array,
  Float32Array,
  Float64Array,
]) {
  viewSerializer(View, ARRAY_VIEW);
}

serializer(new Map(), (value, memory) => {
  const record = remember(memory, value, new Map());
  const entries = [];
  mapForEach(value, (item, key) => {
    entries[entries.length] = [key, item];
  });
  for (let i = 0; i < entries.length; i++) {
    entries[i] = [serialized(entries[i][0], memory), serialized(entries[i][1], memory)];
  }
  record.fill = (clone) => {
    for (let i = 0; i < entries.length; i++) mapSet(clone, deserialized(entries[i][0]), deserialized(entries[i][1]));
  };
  return record;
});

serializer(new Set(), (value, memory) => {
  const record = remember(memory, value, new Set());
  const items = [];
  setForEach(value, (item) => {
    items[items.length] = item;
  });
  for (let i = 0; i < items.length; i++) items[i] = serialized(items[i], memory);
  record.fill = (clone) => {
    for (let i = 0; i < items.length; i++) setAdd(clone, deserialized(items[i]));
  };
  return record;
});

/** What else an error keeps, which the standard leaves to the implementation, like its stack. */
const REST = ['cause', 'errors'];

serializer(new Error(), (value, memory) => {
  const { name } = value;
  const message = getOwnPropertyDescriptor(value, 'message');
  const clone = new ((typeof name === 'string' && ERRORS[name]) || Error)();
  if (isData(message)) define(clone, 'message', `${message.value}`, false);
  const stack = stackOf(value);
  if (typeof stack === 'string') define(clone, 'stack', stack, false);
  const record = remember(memory, value, clone);
  const rest = create(null);
  for (let i = 0; i < REST.length; i++) {
    const own = getOwnPropertyDescriptor(value, REST[i]);
    if (isData(own)) rest[REST[i]] = serialized(own.value, memory);
  }
  record.fill = () => {
    for (const property in rest) define(clone, property, deserialized(rest[property]), false);
  };
  return record;
});

/** Serializes own enumerable properties. */
function withProperties(record, value, memory) {
  const names = keys(value);
  const items = [];
  let count = 0;
  for (let i = 0; i < names.length; i++) {
    // A getter may have deleted it.
    if (!hasOwn(value, names[i])) continue;
    names[count] = names[i];
    items[count] = serialized(value[names[i]], memory);
    count++;
  }
  record.fill = (clone) => {
    for (let i = 0; i < count; i++) define(clone, names[i], deserialized(items[i]), true);
  };
  return record;
}

serializer([], (value, memory) => withProperties(remember(memory, value, new Array(value.length)), value, memory));

for (const sample of [{}, new (class extends Iterator {})()]) {
  serializer(sample, (value, memory) => {
    if (isPlatformObject(value)) {
      const clone = clonerOf(value);
      if (clone) return remember(memory, value, clone(value));
      throw failure('An object of this kind cannot be cloned');
    }
    return withProperties(remember(memory, value, {}), value, memory);
  });
}
