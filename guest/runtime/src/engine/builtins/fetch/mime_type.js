// MIME types, as the MIME Sniffing Standard parses them, and as the Fetch Standard finds them in headers.

const TOKEN = /^[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+$/;
const QUOTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;
const trimmed = (text) => text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');

/** The type that a text is, if it is one: its essence and its parameters. */
export function parsedMimeType(input) {
  const text = trimmed(input);
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const type = text.slice(0, slash);
  const end = indexOrEnd(text, ';', slash);
  const subtype = text.slice(slash + 1, end).replace(/[\t\n\r ]+$/, '');
  if (!TOKEN.test(type) || !TOKEN.test(subtype)) return undefined;
  const parameters = new Map();
  let at = end;
  while (at < text.length) {
    at++;
    while (at < text.length && /[\t\n\r ]/.test(text[at])) at++;
    const nameEnd = Math.min(indexOrEnd(text, ';', at), indexOrEnd(text, '=', at));
    const name = text.slice(at, nameEnd).toLowerCase();
    at = nameEnd;
    if (text[at] !== '=') continue;
    at++;
    let value;
    if (text[at] === '"') {
      [value, at] = quoted(text, at);
      at = indexOrEnd(text, ';', at);
    } else {
      const valueEnd = indexOrEnd(text, ';', at);
      value = text.slice(at, valueEnd).replace(/[\t\n\r ]+$/, '');
      at = valueEnd;
      if (value === '') continue;
    }
    if (TOKEN.test(name) && QUOTABLE.test(value) && !parameters.has(name)) parameters.set(name, value);
  }
  return { essence: `${type}/${subtype}`.toLowerCase(), parameters };
}

function indexOrEnd(text, character, from) {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}

/** The value of a quoted string, and where it ends. */
function quoted(text, start) {
  let value = '';
  let at = start + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) at++;
    value += text[at];
    at++;
  }
  return [value, at + 1];
}

export function textOfMimeType({ essence, parameters }) {
  const texts = [...parameters].map(([name, value]) => {
    return `;${name}=${TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
  });
  return essence + texts.join('');
}

/** The type that the value of a header `Content-Type` means, which may be the values of several. */
export function mimeTypeOf(header) {
  if (header === null) return undefined;
  let found;
  let charset;
  for (const value of valuesOf(header)) {
    const type = parsedMimeType(value);
    if (!type || type.essence === '*/*') continue;
    if (found?.essence !== type.essence) charset = type.parameters.get('charset');
    else if (!type.parameters.has('charset') && charset !== undefined) type.parameters.set('charset', charset);
    found = type;
    charset = type.parameters.get('charset') ?? charset;
  }
  return found;
}

/** The parts between commas outside of quoted strings. */
function valuesOf(header) {
  const values = [''];
  for (let at = 0; at < header.length; ) {
    if (header[at] === '"') {
      const [, end] = quoted(header, at);
      values[values.length - 1] += header.slice(at, end);
      at = end;
    } else if (header[at] === ',') {
      values.push('');
      at++;
    } else {
      values[values.length - 1] += header[at];
      at++;
    }
  }
  return values;
}
