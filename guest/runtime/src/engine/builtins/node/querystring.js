// The module `querystring`.

function escapeText(value) {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? String(value) : `${value}`;
  try {
    return encodeURIComponent(text);
  } catch {
    throw Object.assign(new URIError('URI malformed'), { code: 'ERR_INVALID_URI' });
  }
}

const HEX = /^[0-9a-fA-F]{2}$/;

/** The bytes of a text with percent signs in it; what is no escape stands for itself. */
export function unescapeBuffer(value, decodesSpaces = false) {
  const text = String(value);
  const bytes = new Uint8Array(text.length);
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    const digits = text.slice(i + 1, i + 3);
    if (character === '+' && decodesSpaces) bytes[size++] = 32;
    else if (character === '%' && HEX.test(digits)) {
      bytes[size++] = Number.parseInt(digits, 16);
      i += 2;
    } else bytes[size++] = text.charCodeAt(i);
  }
  return bytes.subarray(0, size);
}

function unescapeText(value, decodesSpaces = false) {
  try {
    return decodeURIComponent(value);
  } catch {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(unescapeBuffer(value, decodesSpaces));
  }
}

function primitive(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : '';
  if (typeof value === 'bigint') return `${value}`;
  return typeof value === 'boolean' ? `${value}` : '';
}

export function stringify(object, separator = '&', equals = '=', options = undefined) {
  const encode = options?.encodeURIComponent ?? module.escape;
  if (object === null || typeof object !== 'object') return '';
  const fields = [];
  const between = separator || '&';
  const is = equals || '=';
  const encoded = (value) => {
    const text = primitive(value);
    return text === '' || (typeof value !== 'string' && typeof value !== 'object') ? text : encode(text);
  };
  for (const key of Object.keys(object)) {
    const name = encode(primitive(key)) + is;
    const value = object[key];
    if (Array.isArray(value)) for (const item of value) fields.push(name + encoded(item));
    else fields.push(name + encoded(value));
  }
  return fields.join(between);
}

export function parse(text, separator = '&', equals = '=', options = undefined) {
  const result = { __proto__: null };
  if (typeof text !== 'string' || text.length === 0) return result;
  const most = typeof options?.maxKeys === 'number' ? options.maxKeys : 1000;
  const between = separator ? `${separator}` : '&';
  const is = equals ? `${equals}` : '=';
  const decode = options?.decodeURIComponent ?? module.unescape;
  const decoded = (part) => {
    if (part === '') return part;
    const spaced = part.replaceAll('+', ' ');
    if (!spaced.includes('%') && decode === unescapeText) return spaced;
    try {
      return decode(spaced);
    } catch {
      return unescapeText(spaced, true);
    }
  };
  let count = 0;
  for (const field of text.split(between)) {
    if (field === '') continue;
    if (most > 0 && count >= most) break;
    count += 1;
    const place = field.indexOf(is);
    const key = decoded(place === -1 ? field : field.slice(0, place));
    const value = place === -1 ? '' : decoded(field.slice(place + is.length));
    const before = result[key];
    if (before === undefined) result[key] = value;
    else if (Array.isArray(before)) before.push(value);
    else result[key] = [before, value];
  }
  return result;
}

export { escapeText as escape, parse as decode, stringify as encode, unescapeText as unescape };

const module = {
  decode: parse,
  encode: stringify,
  escape: escapeText,
  parse,
  stringify,
  unescape: unescapeText,
  unescapeBuffer,
};
export default module;
