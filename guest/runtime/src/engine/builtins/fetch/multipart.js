// `multipart/form-data`, as the HTML Standard writes it and the Fetch Standard reads it.

import { utf8Of } from 'hyperlight:bytes';
import { TextDecoder } from 'hyperlight:encoding';
import { lazy } from 'hyperlight:lazy';

const { Blob, contentOf, File, isBlob } = lazy('blob');
const { random } = Math;

const withBreaks = (text) => text.replace(/\r\n?|\n/g, '\r\n');
const escaped = (text) => text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');

/** The bytes of a form's entries, and the boundary between them. */
export function encoded(entries) {
  const boundary = `----hyperlight-${Array.from({ length: 24 }, () => Math.trunc(random() * 36).toString(36)).join('')}`;
  const parts = [];
  for (const [name, value] of entries) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withBreaks(name))}"`;
    if (isBlob(value)) {
      const type = value.type || 'application/octet-stream';
      parts.push(utf8Of(`${head}; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
      parts.push(contentOf(value), utf8Of('\r\n'));
    } else {
      parts.push(utf8Of(`${head}\r\n\r\n${withBreaks(value)}\r\n`));
    }
  }
  parts.push(utf8Of(`--${boundary}--\r\n`));
  return { bytes: contentOf(new Blob(parts)), boundary };
}

/** The entries that bytes stand for. Throws if they are not what the boundary says. */
export function decoded(bytes, boundary) {
  // One unit for each byte, so that a place in the text is one in the bytes.
  const text = new TextDecoder('latin1').decode(bytes);
  const entries = [];
  const delimiter = `--${boundary}`;
  let at = 0;
  // What comes ahead of the first delimiter is ignored.
  if (!text.startsWith(delimiter)) {
    const start = text.indexOf(`\r\n${delimiter}`);
    if (start < 0) throw failure();
    at = start + 2;
  }
  for (;;) {
    if (!text.startsWith(delimiter, at)) throw failure();
    at += delimiter.length;
    if (text.startsWith('--', at)) return entries;
    if (!text.startsWith('\r\n', at)) throw failure();
    at += 2;
    const part = headersOf(text, bytes, at);
    const end = text.indexOf(`\r\n${delimiter}`, part.end - 2);
    if (end < part.end - 2) throw failure();
    const content = bytes.subarray(part.end, Math.max(part.end, end));
    entries.push([part.name, contentOfPart(part, content)]);
    at = end + 2;
  }
}

function failure() {
  return new TypeError('the body is no multipart/form-data');
}

function contentOfPart({ filename, type }, content) {
  if (filename === undefined) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
  return new File([content], filename, { type: type ?? 'text/plain' });
}

/** The headers of a part, and where its content begins. */
function headersOf(text, bytes, start) {
  const part = { name: undefined, filename: undefined, type: undefined, end: start };
  while (!text.startsWith('\r\n', part.end)) {
    const lineEnd = text.indexOf('\r\n', part.end);
    if (lineEnd < 0) throw failure();
    const line = text.slice(part.end, lineEnd);
    const [, header, value] = /^([!#$%&'*+\-.^_\x60|~0-9A-Za-z]+)[\t ]*:[\t ]*(.*?)[\t ]*$/s.exec(line) ?? [];
    if (header === undefined) throw failure();
    if (header.toLowerCase() === 'content-disposition') {
      Object.assign(part, dispositionOf(new TextDecoder('utf-8').decode(bytes.subarray(part.end, lineEnd))));
    } else if (header.toLowerCase() === 'content-type') part.type = value;
    part.end = lineEnd + 2;
  }
  if (part.name === undefined) throw failure();
  part.end += 2;
  return part;
}

/** The names in a header `Content-Disposition`. */
function dispositionOf(line) {
  const rest = /^[^:]*:[\t ]*form-data(.*)$/is.exec(line)?.[1];
  if (rest === undefined) throw failure();
  const names = {};
  const parameter = /;[\t ]*(name|filename)="([^"]*)"/giy;
  for (let match = parameter.exec(rest); match; match = parameter.exec(rest)) {
    names[match[1].toLowerCase()] = match[2].replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"');
  }
  if (names.name === undefined) throw failure();
  return names;
}
