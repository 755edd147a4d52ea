// Binary data beside JSON, for V8; guest/abi/src/payload.rs says how. guest/runtime/src/engine/encode.rs does for QuickJS what
// `stringify` does here.
(() => {
  // As they are now: code that comes later may change the originals.
  const { isArray, prototype: arrayPrototype } = Array;
  const { isView, prototype: bufferPrototype } = ArrayBuffer;
  const { isRawJSON, parse: parseJSON, stringify: stringifyJSON } = JSON;
  const { floor, min } = Math;
  const { MAX_SAFE_INTEGER } = Number;
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, keys, setPrototypeOf } = Object;
  const { prototype: objectPrototype } = Object;
  const { apply } = Reflect;
  const [NativeRangeError, NativeString, NativeTypeError, NativeUint8Array] = [
    RangeError,
    String,
    TypeError,
    Uint8Array,
  ];
  const { toString: kindOfObject } = objectPrototype;
  const { slice, valueOf: stringOf } = String.prototype;
  const { valueOf: numberOf } = Number.prototype;
  const { valueOf: booleanOf } = Boolean.prototype;
  const { valueOf: bigIntOf } = BigInt.prototype;
  const tag = Symbol.toStringTag;
  const viewPrototype = getPrototypeOf(Uint8Array.prototype);
  const { get: kindOfView } = getOwnPropertyDescriptor(viewPrototype, tag);
  const { get: sizeOfView } = getOwnPropertyDescriptor(viewPrototype, 'byteLength');
  const { get: sizeOfBuffer } = getOwnPropertyDescriptor(bufferPrototype, 'byteLength');

  const MARK = '\u0010';
  const BYTE_ARRAYS_MAX = 65_536;

  const isObject = (value) => typeof value === 'object' && value !== null;

  // `stringify` follows the algorithm of JSON.stringify. Code of the value's own may run meanwhile: getters, `toJSON`, traps of
  // proxies. So each property is read once, when its turn comes, into a copy that has none of these; the text is the copy's.

  function stringify(value, byteArrays) {
    const walk = { byteArrays, marked: [], parents: [] };
    const root = { '': undefined };
    root[''] = copyOf(value, root, '', walk);
    if (byteArrays.length > 0) {
      const { marked } = walk;
      for (let i = 0; i < marked.length; i += 2) marked[i][marked[i + 1]] = MARK + marked[i][marked[i + 1]];
    }
    // These would run once more, for the copy.
    if ('toJSON' in objectPrototype || 'toJSON' in arrayPrototype) hideToJSON(root['']);
    return stringifyJSON(root['']);
  }

  /** The copy of a value, which will be that property of the holder, another copy. */
  function copyOf(value, holder, key, walk) {
    if (isObject(value) || typeof value === 'function' || typeof value === 'bigint') {
      if (isObject(value) && isBytes(value)) return placeholder(value, walk.byteArrays);
      const { toJSON } = value;
      if (typeof toJSON === 'function') {
        value = apply(toJSON, value, [NativeString(key)]);
        if (isObject(value) && isBytes(value)) return placeholder(value, walk.byteArrays);
      }
    }
    if (isObject(value)) {
      if (isArray(value)) return copyOfItems(value, walk);
      const kind = kindOf(value);
      if (kind === undefined) return copyOfProperties(value, walk);
      if (kind === 'Raw') {
        if (value.rawJSON[0] !== '"') return value;
        value = parseJSON(value.rawJSON);
      } else if (kind === 'String') value = NativeString(value);
      else if (kind === 'Number') value = +value;
      else if (kind === 'Boolean') value = apply(booleanOf, value, []);
      else value = apply(bigIntOf, value, []);
    }
    switch (typeof value) {
      case 'string':
        if (value[0] === MARK) {
          const { marked } = walk;
          marked[marked.length] = holder;
          marked[marked.length] = key;
        }
        return value;
      case 'bigint':
        throw new NativeTypeError('Do not know how to serialize a BigInt');
      case 'function':
      case 'symbol':
        return undefined;
      default:
        return value;
    }
  }

  function copyOfItems(value, walk) {
    enter(value, walk);
    const length = lengthOf(value);
    const copy = [];
    for (let i = 0; i < length; i++) {
      const item = value[i];
      copy[i] = typeof item === 'number' ? item : copyOf(item, copy, i, walk);
    }
    walk.parents.length--;
    return copy;
  }

  function copyOfProperties(value, walk) {
    enter(value, walk);
    const names = keys(value);
    const copy = {};
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const item = copyOf(value[name], copy, name, walk);
      // An assignment could reach a setter of the prototype: that of `__proto__`, if no other.
      if (name in objectPrototype) {
        defineProperty(copy, name, { value: item, configurable: true, enumerable: true, writable: true });
      } else {
        copy[name] = item;
      }
    }
    walk.parents.length--;
    return copy;
  }

  /** Notes that the walk is within this object from now on. */
  function enter(value, { parents }) {
    for (let i = 0; i < parents.length; i++) {
      if (parents[i] === value) throw new NativeTypeError('Converting circular structure to JSON');
    }
    parents[parents.length] = value;
  }

  function lengthOf(value) {
    const length = +value.length;
    return length > 0 ? min(floor(length), MAX_SAFE_INTEGER) : 0;
  }

  // Objects of other realms count as well, and a tag is no proof: it may be missing, or be another's.
  function isBytes(value) {
    return isView(value) ? apply(kindOfView, value, []) === 'Uint8Array' : isTagged(value) && is(sizeOfBuffer, value);
  }

  /** What an object stands for that JSON makes no object of. */
  function kindOf(value) {
    if (isTagged(value)) {
      return is(stringOf, value)
        ? 'String'
        : is(numberOf, value)
          ? 'Number'
          : is(booleanOf, value)
            ? 'Boolean'
            : is(bigIntOf, value)
              ? 'BigInt'
              : undefined;
    }
    switch (apply(kindOfObject, value, [])) {
      case '[object String]':
        return 'String';
      case '[object Number]':
        return 'Number';
      case '[object Boolean]':
        return 'Boolean';
      default:
        return isRawJSON?.(value) ? 'Raw' : undefined;
    }
  }

  function isTagged(value) {
    try {
      return tag in value;
    } catch {
      return true;
    }
  }

  /** Whether an object is of the kind for which alone a method does not throw. */
  function is(method, value) {
    try {
      apply(method, value, []);
      return true;
    } catch {
      return false;
    }
  }

  /** What stands in the text for bytes; they go into the list as they are now. */
  function placeholder(bytes, byteArrays) {
    const index = byteArrays.length;
    if (index === BYTE_ARRAYS_MAX) throw new NativeRangeError(`more than ${BYTE_ARRAYS_MAX} byte arrays`);
    byteArrays[index] = copyOfBytes(bytes);
    return MARK + index;
  }

  function copyOfBytes(bytes) {
    const size = apply(isView(bytes) ? sizeOfView : sizeOfBuffer, bytes, []);
    // A detached one has none, and cannot be copied.
    if (size === 0) return new NativeUint8Array(0);
    return new NativeUint8Array(isView(bytes) ? bytes : new NativeUint8Array(bytes));
  }

  /** Makes a copy have no `toJSON` but what it has of its own. */
  function hideToJSON(copy) {
    if (!isObject(copy) || isRawJSON?.(copy)) return;
    if (isArray(copy)) defineProperty(copy, 'toJSON', { value: undefined });
    else setPrototypeOf(copy, null);
    const names = keys(copy);
    for (let i = 0; i < names.length; i++) hideToJSON(copy[names[i]]);
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

  return { stringify, parse };
})();
