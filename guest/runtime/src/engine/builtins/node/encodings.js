// The encodings of Buffers. All take what is no text of theirs as Node.js does: as far as it is some, or without what is wrong.

import { utf8Of } from 'hyperlight:bytes';
import { decodeUtf8, encodeInto } from 'hyperlight:native';
import { coded } from 'hyperlight:node/errors';

const { fromBase64, fromHex } = Uint8Array;
const { toBase64, toHex } = Uint8Array.prototype;
const { fromCharCode } = String;
const { toWellFormed } = String.prototype;
const { apply } = Reflect;
const { min } = Math;
const CHUNK = 4096;

const join = (units) => {
  let text = '';
  for (let i = 0; i < units.length; i += CHUNK) text += apply(fromCharCode, null, units.subarray(i, i + CHUNK));
  return text;
};

function base64Of(text) {
  const end = text.indexOf('=');
  let clean = end === -1 ? text : text.slice(0, end);
  clean = clean
    .replace(/[^A-Za-z0-9+/_-]+/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  if (clean.length % 4 === 1) clean = clean.slice(0, -1);
  return fromBase64.call(Uint8Array, clean);
}

export const latin1Of = (text) => {
  const made = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) made[i] = text.charCodeAt(i);
  return made;
};

export const UTF8 = {
  name: 'utf8',
  encode: utf8Of,
  decode: (data) => decodeUtf8(data, false, false)[0],
  write(data, text) {
    return encodeInto(toWellFormed.call(text), data)[1];
  },
};
export const UTF16 = {
  name: 'utf16le',
  unit: 2,
  encode(text) {
    const made = new Uint8Array(2 * text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      made[2 * i] = unit;
      made[2 * i + 1] = unit >> 8;
    }
    return made;
  },
  decode: (data) => join(new Uint16Array(data.slice(0, data.length & ~1).buffer)),
};
export const LATIN1 = { name: 'latin1', encode: latin1Of, decode: join };
export const ASCII = { name: 'ascii', encode: latin1Of, decode: (data) => join(data.map((byte) => byte & 0x7f)) };
export const HEX = {
  name: 'hex',
  encode(text) {
    const even = text.length & ~1;
    const wrong = text.search(/[^0-9a-fA-F]/);
    return fromHex.call(Uint8Array, text.slice(0, wrong === -1 ? even : min(wrong & ~1, even)));
  },
  decode: (data) => toHex.call(data),
};
export const BASE64 = { name: 'base64', encode: base64Of, decode: (data) => toBase64.call(data) };
export const BASE64URL = {
  name: 'base64url',
  encode: base64Of,
  decode: (data) => toBase64.call(data, { alphabet: 'base64url', omitPadding: true }),
};

const CODECS = {
  __proto__: null,
  utf8: UTF8,
  'utf-8': UTF8,
  ucs2: UTF16,
  'ucs-2': UTF16,
  utf16le: UTF16,
  'utf-16le': UTF16,
  latin1: LATIN1,
  binary: LATIN1,
  ascii: ASCII,
  hex: HEX,
  base64: BASE64,
  base64url: BASE64URL,
};

export function codecOf(encoding) {
  return CODECS[encoding] ?? CODECS[`${encoding}`.toLowerCase()];
}

export function knownCodec(encoding) {
  if (encoding === undefined || encoding === null || encoding === '') return UTF8;
  const codec = typeof encoding === 'string' ? codecOf(encoding) : undefined;
  if (codec) return codec;
  throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(encoding)}`);
}

/** The name of an encoding, undefined if there is none of that name; of no name, UTF-8's. */
export function normalizeEncoding(encoding) {
  if (encoding === undefined || encoding === null || encoding === '') return 'utf8';
  return codecOf(encoding)?.name;
}
