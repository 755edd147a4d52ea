// Headers: which of a guest's go to a server, and which of a server's to a guest.
const { invalid } = require('./errors.js');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const COUNT_MAX = 256;
const SIZE_MAX = 32 * 1024;
/** What belongs to the connection, or says what the host knows better. They are left out, as browsers do. */
const OF_HOST = new Set([
  ...['accept-encoding', 'connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te'],
  ...['trailer', 'transfer-encoding', 'upgrade'],
]);
/** Of a response, beside these: what is for a client that keeps cookies. */
const OF_CONNECTION = new Set([
  ...['connection', 'keep-alive', 'set-cookie', 'set-cookie2', 'trailer', 'transfer-encoding', 'upgrade'],
]);
/** What is not for another origin. */
const OF_ORIGIN = ['authorization', 'cookie'];
const OF_CONTENT = ['content-encoding', 'content-language', 'content-location', 'content-type'];
/** Shortest part of a secret that a header is searched for. */
const SECRET_MIN = 6;

/** Whether a header is left to the host: its name in small letters. */
const isOfHost = (name) => OF_HOST.has(name) || name.startsWith('proxy-') || name.startsWith('sec-');
exports.isOfHost = isOfHost;

/** The headers that a guest has given, checked. */
exports.requested = (list) => {
  if (!Array.isArray(list) || list.length > COUNT_MAX) throw invalid(`a request has at most ${COUNT_MAX} headers`);
  const headers = new Map();
  let size = 0;
  for (const pair of list) {
    const [name, value] = Array.isArray(pair) ? pair : [];
    if (typeof name !== 'string' || typeof value !== 'string' || !TOKEN.test(name) || !FIELD_VALUE.test(value)) {
      throw invalid('a header of the request is malformed');
    }
    size += name.length + value.length;
    const key = name.toLowerCase();
    if (isOfHost(key)) continue;
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}${key === 'cookie' ? '; ' : ', '}${value}`);
  }
  if (size > SIZE_MAX) throw invalid(`the headers of a request have at most ${SIZE_MAX} characters`);
  if (!headers.has('accept')) headers.set('accept', '*/*');
  if (!headers.has('user-agent')) headers.set('user-agent', 'hyperlight-js');
  return headers;
};

/** Takes from headers what is not for another origin. */
exports.forOtherOrigin = (headers) => {
  for (const name of OF_ORIGIN) headers.delete(name);
};

/** Takes from headers what says something of a body that is not sent on. */
exports.withoutContent = (headers) => {
  for (const name of OF_CONTENT) headers.delete(name);
};

/** The headers of a response that the guest sees: none that reflects a secret, and none that is hidden. */
exports.answered = (raw, secrets, hidden, isDecoded) => {
  const seen = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    const value = raw[i + 1];
    if (OF_CONNECTION.has(name) || name.startsWith('proxy-') || hidden.has(name)) continue;
    // They were about what has been decoded.
    if (isDecoded && (name === 'content-encoding' || name === 'content-length')) continue;
    if (exports.reflects(value, secrets) || exports.reflects(name, secrets)) continue;
    if (TOKEN.test(name) && FIELD_VALUE.test(value)) seen.push([name, value]);
  }
  return seen;
};

/** Whether a text has a secret in it: all of its value, or what follows its scheme, as it is or as part of a URL. */
exports.reflects = (text, secrets) =>
  secrets.some((secret) =>
    [secret, secret.slice(secret.indexOf(' ') + 1)].some(
      (part) =>
        part.length >= SECRET_MIN &&
        [part, encodeURIComponent(part)].some((form) => text.toLowerCase().includes(form.toLowerCase())),
    ),
  );
