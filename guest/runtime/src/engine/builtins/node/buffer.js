// The module `buffer`: bytes with the methods of Node.js.

import { custom, inspect } from 'hyperlight:inspect';
import { decodeUtf8 } from 'hyperlight:native';
import {
  ASCII,
  BASE64,
  BASE64URL,
  codecOf,
  HEX,
  knownCodec,
  LATIN1,
  latin1Of,
  UTF8,
  UTF16,
} from 'hyperlight:node/encodings';
import { coded, invalidType, invalidValue, outOfRange } from 'hyperlight:node/errors';

const { prototype: bytes } = Uint8Array;
const { toHex } = bytes;
const { isView } = ArrayBuffer;
const { max, min, trunc } = Math;

export const kMaxLength = 2 ** 31 - 1;
export const kStringMaxLength = 2 ** 29 - 24;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };
export const INSPECT_MAX_BYTES = 50;

const isBytes = (value) => value instanceof Uint8Array;
const isArrayBuffer = (value) => value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;

/** The Buffer with the memory of an array. */
function over(array) {
  return new FastBuffer(array.buffer, array.byteOffset, array.byteLength);
}

function checkSize(size) {
  if (typeof size !== 'number') throw invalidType('"size" argument', 'of type number', size);
  if (!(size >= 0 && size <= kMaxLength)) throw outOfRange('size', `>= 0 && <= ${kMaxLength}`, size);
}

class FastBuffer extends Uint8Array {}

export function Buffer(value, encodingOrOffset, length) {
  if (typeof value !== 'number') return Buffer.from(value, encodingOrOffset, length);
  if (typeof encodingOrOffset === 'string') throw invalidType('"string" argument', 'of type string', value);
  return Buffer.alloc(value);
}

Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = FastBuffer.prototype;
Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer, configurable: true });
Object.defineProperty(Buffer.prototype, 'constructor', { value: Buffer, configurable: true, writable: true });

const statics = {
  poolSize: 8192,

  from(value, encodingOrOffset, length) {
    if (typeof value === 'string') return over(knownCodec(encodingOrOffset).encode(value));
    if (typeof value === 'object' && value !== null) {
      if (isArrayBuffer(value)) {
        const offset = encodingOrOffset === undefined ? 0 : +encodingOrOffset || 0;
        const room = value.byteLength - offset;
        if (room < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
        const size = length === undefined ? room : max(+length || 0, 0);
        if (size > room) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
        return new FastBuffer(value, offset, size);
      }
      const primitive = value.valueOf?.();
      if (primitive !== undefined && primitive !== null && primitive !== value) {
        if (typeof primitive === 'string' || typeof primitive === 'object') {
          return Buffer.from(primitive, encodingOrOffset, length);
        }
      }
      const list = listOf(value);
      if (list) return list;
      if (typeof value[Symbol.toPrimitive] === 'function') {
        const text = value[Symbol.toPrimitive]('string');
        if (typeof text === 'string') return Buffer.from(text, encodingOrOffset);
      }
    }
    throw invalidType(
      'first argument',
      'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object',
      value,
    );
  },

  of(...items) {
    return over(Uint8Array.from(items));
  },

  alloc(size, fill, encoding) {
    checkSize(size);
    const made = new FastBuffer(size);
    if (fill === undefined || fill === 0 || size === 0) return made;
    return made.fill(fill, typeof encoding === 'string' ? encoding : undefined);
  },

  allocUnsafe(size) {
    checkSize(size);
    return new FastBuffer(size);
  },

  allocUnsafeSlow(size) {
    checkSize(size);
    return new FastBuffer(size);
  },

  isBuffer: (value) => value instanceof Buffer,

  isEncoding: (encoding) => typeof encoding === 'string' && encoding !== '' && codecOf(encoding) !== undefined,

  byteLength(value, encoding) {
    if (typeof value !== 'string') {
      if (isView(value) || isArrayBuffer(value)) return value.byteLength;
      throw invalidType('"string" argument', 'of type string or an instance of Buffer or ArrayBuffer', value);
    }
    const codec = typeof encoding === 'string' ? (codecOf(encoding) ?? UTF8) : UTF8;
    switch (codec) {
      case UTF16:
        return 2 * value.length;
      case LATIN1:
      case ASCII:
        return value.length;
      case HEX:
        return value.length >>> 1;
      case BASE64:
      case BASE64URL: {
        const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
        return ((value.length - padding) * 3) >>> 2;
      }
    }
    return codec.encode(value).length;
  },

  compare(one, other) {
    if (!isBytes(one)) throw invalidType('"buf1" argument', 'an instance of Buffer or Uint8Array', one);
    if (!isBytes(other)) throw invalidType('"buf2" argument', 'an instance of Buffer or Uint8Array', other);
    const size = min(one.length, other.length);
    for (let i = 0; i < size; i++) if (one[i] !== other[i]) return one[i] < other[i] ? -1 : 1;
    return Math.sign(one.length - other.length);
  },

  concat(list, length) {
    if (!Array.isArray(list)) throw invalidType('"list" argument', 'an instance of Array', list);
    if (list.length === 0) return new FastBuffer();
    if (length === undefined) {
      length = 0;
      for (const item of list) if (item.length) length += item.length;
    } else checkOffset(length, 'length', kMaxLength);
    const made = Buffer.alloc(length);
    let at = 0;
    for (let i = 0; i < list.length; i++) {
      const item = list[i];
      if (!isBytes(item)) throw invalidType(`"list[${i}]" argument`, 'an instance of Buffer or Uint8Array', item);
      if (at >= length) break;
      bytes.set.call(made, item.length > length - at ? item.subarray(0, length - at) : item, at);
      at += item.length;
    }
    return made;
  },

  copyBytesFrom(view, offset = 0, length = undefined) {
    if (!isView(view) || view instanceof DataView) {
      throw invalidType('"view" argument', 'an instance of TypedArray', view);
    }
    const part = view.subarray(offset, length === undefined ? undefined : offset + length);
    return over(new Uint8Array(part.buffer, part.byteOffset, part.byteLength).slice());
  },
};
for (const [name, value] of Object.entries(statics)) {
  Object.defineProperty(Buffer, name, { value, configurable: true, enumerable: true, writable: true });
}

/** The bytes of what has a length and items, or says in JSON that it was a Buffer; undefined if it has none. */
function listOf(value) {
  if (value.length !== undefined) {
    if (typeof value.length !== 'number' || !(value.length > 0)) return new FastBuffer();
    return over(Uint8Array.from(arrayLike(value)));
  }
  if (value.type === 'Buffer' && Array.isArray(value.data)) return over(Uint8Array.from(value.data));
  return undefined;
}

const arrayLike = (value) => (Array.isArray(value) || isView(value) ? value : { length: value.length, ...value });

function checkOffset(value, name, most) {
  if (typeof value !== 'number') throw invalidType(`"${name}" argument`, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < 0 || value > most) throw outOfRange(name, `>= 0 && <= ${most}`, value);
}

/** A place for so many bytes. */
function checkPlace(buffer, offset, size) {
  if (typeof offset !== 'number') throw invalidType('"offset" argument', 'of type number', offset);
  const most = buffer.length - size;
  if (Number.isInteger(offset) && offset >= 0 && offset <= most) return;
  if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
  if (most < 0) {
    throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  }
  throw outOfRange('offset', `>= 0 and <= ${most}`, offset);
}

const viewOf = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** Where a range begins or ends, of which all that is no number means the default. */
function limit(value, fallback, length) {
  if (value === undefined) return fallback;
  const number = trunc(+value) || 0;
  return max(0, min(number, length));
}

/** What is looked for, as bytes, and how wide a unit of it is. */
function needleOf(value, encoding) {
  if (typeof value === 'string') {
    const codec = knownCodec(encoding);
    return { needle: codec.encode(value), unit: codec.unit ?? 1 };
  }
  if (isBytes(value)) return { needle: value, unit: codecOf(encoding ?? 'utf8')?.unit ?? 1 };
  throw invalidType('"value" argument', 'one of type number or string or an instance of Buffer or Uint8Array', value);
}

function find(buffer, value, offset, encoding, isForward) {
  if (typeof offset === 'string') {
    encoding = offset;
    offset = undefined;
  }
  let from = +offset;
  if (Number.isNaN(from)) from = isForward ? 0 : buffer.length;
  from = trunc(max(-0x80000000, min(from, 0x7fffffff)));
  if (from < 0) from += buffer.length;
  if (typeof value === 'number') {
    const byte = value & 0xff;
    if (isForward) return bytes.indexOf.call(buffer, byte, max(from, 0));
    return from < 0 ? -1 : bytes.lastIndexOf.call(buffer, byte, min(from, buffer.length - 1));
  }
  const { needle, unit } = needleOf(value, encoding);
  if (from < 0) {
    if (!isForward) return -1;
    from = 0;
  }
  if (needle.length === 0) return min(from, buffer.length);
  const last = buffer.length - needle.length;
  if (last < 0) return -1;
  const step = isForward ? 1 : -1;
  for (let i = isForward ? from : min(from, last); i >= 0 && i <= last; i += step) {
    if (buffer[i] !== needle[0] || (unit === 2 && (i & 1) === 1)) continue;
    let j = 1;
    while (j < needle.length && buffer[i + j] === needle[j]) j += 1;
    if (j === needle.length) return i;
  }
  return -1;
}

function swap(buffer, size) {
  if (buffer.length % size !== 0) {
    throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
  }
  for (let i = 0; i < buffer.length; i += size) bytes.reverse.call(bytes.subarray.call(buffer, i, i + size));
  return buffer;
}

const methods = {
  get parent() {
    return this instanceof Buffer ? this.buffer : undefined;
  },
  get offset() {
    return this instanceof Buffer ? this.byteOffset : undefined;
  },

  toString(encoding, start, end) {
    const from = limit(start, 0, this.length);
    const to = limit(end, this.length, this.length);
    if (to <= from) return '';
    const codec = knownCodec(encoding === undefined ? undefined : `${encoding}`);
    return codec.decode(new Uint8Array(this.buffer, this.byteOffset + from, to - from));
  },

  toLocaleString(encoding, start, end) {
    return this.toString(encoding, start, end);
  },

  toJSON() {
    return { type: 'Buffer', data: Array.from(this) };
  },

  equals(other) {
    if (!isBytes(other)) throw invalidType('"otherBuffer" argument', 'an instance of Buffer or Uint8Array', other);
    return this === other || (this.length === other.length && Buffer.compare(this, other) === 0);
  },

  compare(target, targetStart = 0, targetEnd = target.length, sourceStart = 0, sourceEnd = this.length) {
    if (!isBytes(target)) throw invalidType('"target" argument', 'an instance of Buffer or Uint8Array', target);
    checkOffset(targetStart, 'targetStart', kMaxLength);
    checkOffset(targetEnd, 'targetEnd', target.length);
    checkOffset(sourceStart, 'sourceStart', kMaxLength);
    checkOffset(sourceEnd, 'sourceEnd', this.length);
    if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
    if (targetStart >= targetEnd) return 1;
    return Buffer.compare(this.subarray(sourceStart, sourceEnd), target.subarray(targetStart, targetEnd));
  },

  copy(target, targetStart, sourceStart, sourceEnd) {
    if (!isBytes(target)) throw invalidType('"target" argument', 'an instance of Buffer or Uint8Array', target);
    const at = trunc(+(targetStart ?? 0)) || 0;
    if (at < 0) throw outOfRange('targetStart', '>= 0', at);
    const from = trunc(+(sourceStart ?? 0)) || 0;
    if (from < 0 || from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from);
    const to = sourceEnd === undefined ? this.length : trunc(+sourceEnd) || 0;
    if (to < 0) throw outOfRange('sourceEnd', '>= 0', to);
    if (at >= target.length || from >= to) return 0;
    const part = bytes.subarray.call(this, from, min(to, this.length, from + target.length - at));
    bytes.set.call(target, part, at);
    return part.length;
  },

  subarray(start, end) {
    const part = bytes.subarray.call(this, start, end);
    return over(part);
  },

  slice(start, end) {
    return this.subarray(start, end);
  },

  write(text, offset, length, encoding) {
    if (typeof text !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
    if (typeof offset === 'string') {
      encoding = offset;
      offset = undefined;
    } else if (typeof length === 'string') {
      encoding = length;
      length = undefined;
    }
    offset ??= 0;
    checkOffset(offset, 'offset', this.length);
    let room = this.length - offset;
    if (length !== undefined) {
      checkOffset(length, 'length', this.length);
      room = min(length, room);
    }
    const codec = knownCodec(encoding);
    const into = new Uint8Array(this.buffer, this.byteOffset + offset, room);
    if (codec.write) return codec.write(into, text);
    const data = codec.encode(text);
    const size = min(data.length, codec.unit === 2 ? room & ~1 : room);
    into.set(data.subarray(0, size));
    return size;
  },

  fill(value, offset, end, encoding) {
    if (typeof value === 'string') {
      if (offset === undefined || typeof offset === 'string') {
        encoding = offset;
        offset = undefined;
        end = undefined;
      } else if (typeof end === 'string') {
        encoding = end;
        end = undefined;
      }
      if (encoding !== undefined && typeof encoding !== 'string') {
        throw invalidType('"encoding" argument', 'of type string', encoding);
      }
    }
    if (offset === undefined) offset = 0;
    else if (typeof offset !== 'number') throw invalidType('"offset" argument', 'of type number', offset);
    else if (!(offset >= 0)) throw outOfRange('offset', '>= 0', offset);
    if (end === undefined) end = this.length;
    else checkOffset(end, 'end', this.length);
    if (offset >= end) {
      if (typeof value === 'string') knownCodec(encoding);
      return this;
    }
    if (typeof value !== 'string' && !isView(value)) {
      const byte = typeof value === 'boolean' ? +value : +value || 0;
      bytes.fill.call(this, byte & 0xff, offset, end);
      return this;
    }
    const pattern = typeof value === 'string' ? knownCodec(encoding).encode(value) : value;
    if (pattern.length === 0) {
      if (value.length > 0) throw invalidValue('value', value);
      bytes.fill.call(this, 0, offset, end);
      return this;
    }
    for (let i = offset; i < end; i++) this[i] = pattern[(i - offset) % pattern.length];
    return this;
  },

  indexOf(value, offset, encoding) {
    return find(this, value, offset, encoding, true);
  },

  lastIndexOf(value, offset, encoding) {
    return find(this, value, offset, encoding, false);
  },

  includes(value, offset, encoding) {
    return find(this, value, offset, encoding, true) !== -1;
  },

  swap16() {
    return swap(this, 2);
  },
  swap32() {
    return swap(this, 4);
  },
  swap64() {
    return swap(this, 8);
  },

  inspect(depth, options) {
    return this[custom](depth, options);
  },

  [custom](_depth, options) {
    const count = min(INSPECT_MAX_BYTES, this.length);
    let text = toHex.call(new Uint8Array(this.buffer, this.byteOffset, count)).replace(/..(?=.)/g, '$& ');
    const more = this.length - count;
    if (more > 0) text += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
    const others = {};
    let hasOthers = false;
    for (const key of Reflect.ownKeys(this)) {
      if (typeof key === 'string' && /^\d+$/.test(key)) continue;
      if (!Object.prototype.propertyIsEnumerable.call(this, key)) continue;
      others[key] = this[key];
      hasOthers = true;
    }
    if (hasOthers) {
      const shown = inspect(others, { ...options, breakLength: Infinity, compact: true });
      text += `${this.length > 0 ? ', ' : ''}${shown.slice(2, -2)}`;
    }
    return `<${this.constructor.name} ${text}>`;
  },
};

/** The range of an integer, as an error tells it. */
function rangeOf(size, isSigned, n) {
  if (size <= 4) {
    const top = 2 ** (8 * size - (isSigned ? 1 : 0));
    return isSigned ? `>= ${-top} and <= ${top - 1}` : `>= 0 and <= ${top - 1}`;
  }
  if (!isSigned) return `>= 0${n} and < 2${n} ** ${8 * size}${n}`;
  return `>= -(2${n} ** ${8 * size - 1}${n}) and < 2${n} ** ${8 * size - 1}${n}`;
}

/** Reads an integer of up to six bytes, the last of which is the most significant. */
function readParts(buffer, offset, size, isSigned, isLittle) {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + buffer[isLittle ? offset + size - 1 - i : offset + i];
  return isSigned && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
}

function writeParts(buffer, value, offset, size, isSigned, isLittle) {
  const top = 2 ** (8 * size - (isSigned ? 1 : 0));
  if (value > top - 1 || value < (isSigned ? -top : 0)) throw outOfRange('value', rangeOf(size, isSigned, ''), value);
  checkPlace(buffer, offset, size);
  let rest = Number.isNaN(value) ? 0 : trunc(value);
  if (rest < 0) rest += 2 ** (8 * size);
  for (let i = 0; i < size; i++) {
    buffer[isLittle ? offset + i : offset + size - 1 - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return offset + size;
}

function checkByteLength(size) {
  if (size === undefined) throw invalidType('"byteLength" argument', 'of type number', size);
  if (typeof size !== 'number') throw invalidType('"byteLength" argument', 'of type number', size);
  if (!Number.isInteger(size)) throw outOfRange('byteLength', 'an integer', size);
  if (size < 1 || size > 6) throw outOfRange('byteLength', '>= 1 and <= 6', size);
}

for (const isLittle of [true, false]) {
  const ending = isLittle ? 'LE' : 'BE';
  for (const isSigned of [true, false]) {
    const kind = isSigned ? 'Int' : 'UInt';
    for (const size of [1, 2, 4]) {
      if (size === 1 && isLittle) continue;
      const name = `${kind}${8 * size}${size === 1 ? '' : ending}`;
      methods[`read${name}`] = function (offset = 0) {
        checkPlace(this, offset, size);
        return readParts(this, offset, size, isSigned, isLittle);
      };
      methods[`write${name}`] = function (value, offset = 0) {
        return writeParts(this, +value, offset, size, isSigned, isLittle);
      };
    }
    methods[`read${kind}${ending}`] = function (offset, size) {
      if (offset === undefined) throw invalidType('"offset" argument', 'of type number', offset);
      checkByteLength(size);
      checkPlace(this, offset, size);
      return readParts(this, offset, size, isSigned, isLittle);
    };
    methods[`write${kind}${ending}`] = function (value, offset, size) {
      checkByteLength(size);
      return writeParts(this, +value, offset, size, isSigned, isLittle);
    };
    const big = `Big${kind}64${ending}`;
    const accessor = isSigned ? 'BigInt64' : 'BigUint64';
    methods[`read${big}`] = function (offset = 0) {
      checkPlace(this, offset, 8);
      return viewOf(this)[`get${accessor}`](offset, isLittle);
    };
    methods[`write${big}`] = function (value, offset = 0) {
      if (typeof value !== 'bigint') throw invalidType('"value" argument', 'of type bigint', value);
      const top = isSigned ? 2n ** 63n : 2n ** 64n;
      if (value >= top || value < (isSigned ? -top : 0n)) {
        throw outOfRange('value', rangeOf(8, isSigned, 'n'), value);
      }
      checkPlace(this, offset, 8);
      viewOf(this)[`set${accessor}`](offset, value, isLittle);
      return offset + 8;
    };
  }
  for (const [name, size] of [
    ['Float', 4],
    ['Double', 8],
  ]) {
    const accessor = `Float${8 * size}`;
    methods[`read${name}${ending}`] = function (offset = 0) {
      checkPlace(this, offset, size);
      return viewOf(this)[`get${accessor}`](offset, isLittle);
    };
    methods[`write${name}${ending}`] = function (value, offset = 0) {
      checkPlace(this, offset, size);
      viewOf(this)[`set${accessor}`](offset, +value, isLittle);
      return offset + size;
    };
  }
}

for (const codec of [UTF8, UTF16, LATIN1, ASCII, HEX, BASE64, BASE64URL]) {
  const name = codec === UTF16 ? 'ucs2' : codec.name;
  methods[`${name}Slice`] = function (start, end) {
    return this.toString(codec.name, start, end);
  };
  methods[`${name}Write`] = function (text, offset, length) {
    return this.write(text, offset, length, codec.name);
  };
}

for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(methods))) {
  Object.defineProperty(Buffer.prototype, name, { ...property, enumerable: true });
  if (typeof property.value !== 'function') continue;
  Object.defineProperty(property.value, 'name', { value: name, configurable: true });
  // `readUint8` is `readUInt8`, and so on.
  if (!name.includes('UInt')) continue;
  const value = property.value;
  const other = name.replace('UInt', 'Uint');
  Object.defineProperty(Buffer.prototype, other, { value, configurable: true, enumerable: true, writable: true });
}
Object.defineProperty(Buffer.prototype, custom, {
  value: methods[custom],
  configurable: true,
  enumerable: false,
  writable: true,
});

export function SlowBuffer(size) {
  return Buffer.allocUnsafeSlow(size);
}

/** The bytes of a text in one encoding, in another; what that cannot express becomes a question mark. */
export function transcode(source, from, to) {
  if (!isBytes(source)) throw invalidType('"source" argument', 'an instance of Buffer or Uint8Array', source);
  const [input, output] = [codecOf(from), codecOf(to)];
  const known = [UTF8, UTF16, LATIN1, ASCII];
  if (!known.includes(input) || !known.includes(output)) {
    throw coded(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]');
  }
  const text = input.decode(source);
  if (output !== LATIN1 && output !== ASCII) return over(output.encode(text));
  const most = output === ASCII ? 0x7f : 0xff;
  return over(latin1Of([...text].map((character) => (character.codePointAt(0) > most ? '?' : character)).join('')));
}

const view = (value) => {
  if (isArrayBuffer(value)) return new Uint8Array(value);
  if (isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw invalidType('"input" argument', 'an instance of ArrayBuffer, Buffer, or TypedArray', value);
};

export const isUtf8 = (value) => decodeUtf8(view(value), true, false)[0] !== undefined;

export function isAscii(value) {
  return view(value).every((byte) => byte < 0x80);
}

const { atob, btoa } = globalThis;

export { atob, btoa };

const module = {
  Buffer,
  INSPECT_MAX_BYTES,
  SlowBuffer,
  atob,
  btoa,
  constants,
  isAscii,
  isUtf8,
  kMaxLength,
  kStringMaxLength,
  transcode,
};
for (const name of ['Blob', 'File']) {
  Object.defineProperty(module, name, { get: () => globalThis[name], configurable: true, enumerable: true });
}
export default module;
