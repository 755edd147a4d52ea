// Global objects that the language does not have but the web and Node.js do.

import { bytesOf } from 'hyperlight:bytes';
import { decodeUtf8, decodeUtf16, encodeUtf8 } from 'hyperlight:native';
import crypto from 'crypto';
import { URL, URLSearchParams } from 'url';

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(text = '') {
    return encodeUtf8(String(text));
  }

  encodeInto(text, into) {
    let [read, written] = [0, 0];
    for (const character of String(text)) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const LABELS = { 'utf-8': 'utf-8', utf8: 'utf-8', 'utf-16le': 'utf-16le', 'utf-16': 'utf-16le' };

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBom;
  #pending = new Uint8Array();
  #atStart = true;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.#encoding = LABELS[String(label).trim().toLowerCase()];
    if (!this.#encoding) throw new RangeError(`The encoding "${label}" is not supported`);
    this.#fatal = Boolean(fatal);
    this.#ignoreBom = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBom;
  }

  decode(data = new Uint8Array(), { stream = false } = {}) {
    let bytes = bytesOf(data);
    if (this.#pending.length > 0) {
      const joined = new Uint8Array(this.#pending.length + bytes.length);
      joined.set(this.#pending);
      joined.set(bytes, this.#pending.length);
      bytes = joined;
    }
    const decode = this.#encoding === 'utf-8' ? decodeUtf8 : decodeUtf16;
    let [text, used] = decode(bytes, this.#fatal, Boolean(stream));
    if (this.#atStart && !this.#ignoreBom && text.startsWith('\ufeff')) text = text.slice(1);
    this.#pending = bytes.slice(used);
    this.#atStart = stream ? this.#atStart && used === 0 : true;
    return text;
  }
}

function structuredClone(value, { transfer = [] } = {}) {
  if (transfer.length > 0) throw new DOMException('Nothing can be transferred', 'DataCloneError');
  return cloneOf(value, new Map());
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneOf(value, seen) {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new DOMException(`A ${typeof value} cannot be cloned`, 'DataCloneError');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (clone) => {
    seen.set(value, clone);
    return clone;
  };
  if (Array.isArray(value)) return withProperties(value, keep(new Array(value.length)), seen);
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String)
    return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const length = value instanceof DataView ? value.byteLength : value.length;
    return keep(new value.constructor(cloneOf(value.buffer, seen), value.byteOffset, length));
  }
  if (value instanceof Map) {
    const clone = keep(new Map());
    for (const [key, item] of [...value]) clone.set(cloneOf(key, seen), cloneOf(item, seen));
    return clone;
  }
  if (value instanceof Set) {
    const clone = keep(new Set());
    for (const item of [...value]) clone.add(cloneOf(item, seen));
    return clone;
  }
  if (value instanceof Error) {
    const clone = keep(new (ERRORS[value.name] ?? Error)(value.message));
    for (const name of ['stack', 'cause']) {
      if (!Object.hasOwn(value, name)) continue;
      Object.defineProperty(clone, name, { value: cloneOf(value[name], seen), configurable: true, writable: true });
    }
    return clone;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    throw new DOMException(`A ${value.constructor.name} cannot be cloned`, 'DataCloneError');
  }
  return withProperties(value, keep({}), seen);
}

function withProperties(value, clone, seen) {
  for (const key of Object.keys(value)) clone[key] = cloneOf(value[key], seen);
  return clone;
}

for (const [name, value] of Object.entries({
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  crypto: Object.freeze({ ...crypto }),
  structuredClone,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}
