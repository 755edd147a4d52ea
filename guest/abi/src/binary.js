// Binary data beside JSON; guest/abi/src/payload.rs says how. It runs in V8 and in QuickJS.
(() => {
  // As they are now: code that comes later may change the originals.
  const { isArray } = Array;
  const { isView, prototype: bufferPrototype } = ArrayBuffer;
  const { isRawJSON, parse: parseJSON, stringify: stringifyJSON } = JSON;
  const { create, getOwnPropertyDescriptor, getPrototypeOf, keys, prototype: objectPrototype } = Object;
  const { apply } = Reflect;
  const [NativeRangeError, NativeString, NativeTypeError, NativeUint8Array] = [
    RangeError,
    String,
    TypeError,
    Uint8Array,
  ];
  const { toString: nameOfObject } = objectPrototype;
  const { slice } = String.prototype;
  const { toJSON: dateToJSON } = Date.prototype;
  const tag = Symbol.toStringTag;
  const { get: nameOfView } = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), tag);
  const { get: bufferOfView } = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'buffer');
  const { get: sizeOfBuffer } = getOwnPropertyDescriptor(bufferPrototype, 'byteLength');

  const MARK = '\u0010';
  const BYTE_ARRAYS_MAX = 65_536;

  const isObject = (value) => typeof value === 'object' && value !== null;

  // Objects of other realms count as well, and a tag is no proof.
  function isBytes(value) {
    return isView(value) ? apply(nameOfView, value, []) === 'Uint8Array' : isBuffer(value);
  }

  function isBuffer(value) {
    if (value[tag] !== 'ArrayBuffer') return false;
    try {
      apply(sizeOfBuffer, value, []);
      return true;
    } catch {
      return false;
    }
  }

  /** Bytes that nobody else can change while they are copied. */
  function unshared(bytes) {
    if (!isView(bytes)) return bytes;
    return apply(bufferOfView, bytes, [])[tag] === 'SharedArrayBuffer' ? new NativeUint8Array(bytes) : bytes;
  }

  function holdsBytes(value) {
    try {
      return isObject(value) && search(value);
    } catch {
      // A cycle, or a property that throws: JSON.stringify will say so.
      return false;
    }
  }

  function search(value) {
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const item = value[i];
        if (isObject(item) && search(item)) return true;
      }
      return false;
    }
    if (isBytes(value)) return true;
    // What it gives cannot be known without calling it.
    const { toJSON } = value;
    if (typeof toJSON === 'function') return toJSON !== dateToJSON;
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const item = value[names[i]];
      if (isObject(item) && search(item)) return true;
    }
    return false;
  }

  function stringify(value, byteArrays) {
    return holdsBytes(value) ? stringifyWithBytes(value, byteArrays) : stringifyJSON(value);
  }

  function stringifyWithBytes(value, byteArrays) {
    return stringifyJSON(copyOf(value, '', byteArrays, []));
  }

  // `parents` are the objects that the value is in.
  function copyOf(value, key, byteArrays, parents) {
    if (isObject(value) && isBytes(value)) return placeholder(value, byteArrays);
    if (isObject(value) || typeof value === 'bigint' || typeof value === 'function') {
      const { toJSON } = value;
      if (typeof toJSON === 'function') {
        value = apply(toJSON, value, [key]);
        if (isObject(value) && isBytes(value)) return placeholder(value, byteArrays);
      }
    }
    if (typeof value === 'string') return escaped(value);
    if (typeof value === 'function') return undefined;
    if (!isObject(value)) return value;
    switch (apply(nameOfObject, value, [])) {
      case '[object String]':
        return escaped(NativeString(value));
      case '[object Number]':
      case '[object Boolean]':
      case '[object BigInt]':
        return value;
    }
    if (isRawJSON?.(value)) return value;
    for (let i = 0; i < parents.length; i++) {
      if (parents[i] === value) throw new NativeTypeError('Converting circular structure to JSON');
    }
    parents[parents.length] = value;
    const copy = isArray(value) ? copyOfArray(value, byteArrays, parents) : copyOfObject(value, byteArrays, parents);
    parents.length--;
    return copy;
  }

  function copyOfArray(value, byteArrays, parents) {
    const copy = [];
    for (let i = 0; i < value.length; i++) copy[i] = copyOf(value[i], NativeString(i), byteArrays, parents);
    return copy;
  }

  function copyOfObject(value, byteArrays, parents) {
    // Without a prototype `__proto__` is a name like any other.
    const copy = create(null);
    const names = keys(value);
    for (let i = 0; i < names.length; i++) copy[names[i]] = copyOf(value[names[i]], names[i], byteArrays, parents);
    return copy;
  }

  function placeholder(bytes, byteArrays) {
    const index = byteArrays.length;
    if (index === BYTE_ARRAYS_MAX) throw new NativeRangeError(`more than ${BYTE_ARRAYS_MAX} byte arrays`);
    byteArrays[index] = unshared(bytes);
    return MARK + index;
  }

  function escaped(text) {
    return text[0] === MARK ? MARK + text : text;
  }

  function parse(text, byteArrays) {
    // A list and not a recursion: the value may be as deep as its author likes.
    const root = [parseJSON(text)];
    const open = [root];
    while (open.length > 0) {
      const holder = open[open.length - 1];
      open.length--;
      const names = keys(holder);
      for (let i = 0; i < names.length; i++) {
        const item = holder[names[i]];
        if (isObject(item)) open[open.length] = item;
        // The property is the holder's own and stays so, even if it is named `__proto__`.
        else if (typeof item === 'string' && item[0] === MARK) holder[names[i]] = unescaped(item, byteArrays);
      }
    }
    return root[0];
  }

  function unescaped(text, byteArrays) {
    const rest = apply(slice, text, [1]);
    if (rest[0] === MARK) return rest;
    const index = +rest;
    if (NativeString(index) === rest && index < byteArrays.length) return byteArrays[index];
    throw new NativeRangeError('a placeholder stands for no bytes');
  }

  return { stringify, stringifyWithBytes, parse };
})();
