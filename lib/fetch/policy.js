// What guests may request: a policy, as docs/fetch.md describes it, read once and checked.
const { range } = require('./addresses.js');
const { invalid, refusal } = require('./errors.js');
const { isOfHost } = require('./headers.js');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Methods that are not for requests of scripts, as the Fetch Standard has it. */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
const DEFAULT_METHODS = ['GET', 'HEAD'];
/** In a path of which only prefixes are allowed: what servers may take for `/`, `\`, `.` or the end of a path, once or twice decoded. */
const AMBIGUOUS = /%(25)*(2f|5c|2e|00)|\/\.{1,2};/i;
const MIB = 1024 * 1024;
/** The limits: the least, the most, and the default. */
const LIMITS = {
  maxRequests: [1, 100_000, 100],
  maxConcurrent: [1, 256, 16],
  maxRequestBytes: [0, 1024 * MIB, 10 * MIB],
  maxResponseBytes: [0, 1024 * MIB, 64 * MIB],
  maxRedirects: [0, 20, 20],
  timeoutMs: [1, 3_600_000, 30_000],
};
const OTHERS = ['allow', 'allowHttp', 'hideResponseHeaders', 'resolve', 'onRequest', 'ca'];
const RULE = ['origin', 'methods', 'paths', 'headers', 'allowAddresses'];
const RULES_MAX = 1000;

/** A URL, if the text is one. `URL.canParse` is not there in each Node.js. */
function parsed(text, base) {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
exports.parsed = parsed;

/** A policy as it is used. Throws a `TypeError` that says what is wrong with the given one. */
exports.readPolicy = (given) => {
  const {
    allow,
    allowHttp = false,
    hideResponseHeaders,
    resolve,
    onRequest,
    ca,
    ...limits
  } = members(given, [...OTHERS, ...Object.keys(LIMITS)], 'the policy of fetch');
  if (!Array.isArray(allow) || allow.length > RULES_MAX) {
    throw new TypeError(`allow must be an array of at most ${RULES_MAX} origins`);
  }
  if (typeof allowHttp !== 'boolean') throw new TypeError('allowHttp must be a boolean');
  for (const [name, value] of Object.entries({ resolve, onRequest })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  }
  if (![ca].flat().every((one) => one === undefined || typeof one === 'string' || one instanceof Uint8Array)) {
    throw new TypeError('ca must be a certificate or an array of them');
  }
  const policy = {
    rules: allow.map((rule) => readRule(rule, allowHttp)),
    hidden: new Set(names(hideResponseHeaders ?? [], 'hideResponseHeaders').map((name) => name.toLowerCase())),
    resolve,
    onRequest,
    ca,
  };
  for (const [name, [least, most, usual]] of Object.entries(LIMITS)) {
    const value = limits[name] ?? usual;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new TypeError(`${name} must be a whole number from ${least} to ${most}`);
    }
    policy[name] = value;
  }
  return policy;
};

/** The rule by which a request is allowed. Throws a refusal if there is none. */
exports.ruleFor = ({ rules }, method, url) => {
  if (!TOKEN.test(method) || FORBIDDEN_METHODS.includes(method)) {
    throw invalid('the method is none of a request');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refusal('scheme', 'only URLs with the schemes https: and http: can be requested');
  }
  if (url.username !== '' || url.password !== '') {
    throw refusal('credentials', 'the URL of a request has no user name or password');
  }
  const ofOrigin = rules.filter((rule) => rule.matches(url));
  if (ofOrigin.length === 0) {
    throw refusal('origin', `the policy does not allow the origin ${url.origin.slice(0, 300)}`);
  }
  const ofMethod = ofOrigin.filter(({ methods }) => methods.includes(method));
  if (ofMethod.length === 0)
    throw refusal('methods', `the policy does not allow the method ${method.slice(0, 50)} there`);
  const rule = ofMethod.find(({ paths }) => isWithin(url.pathname, paths));
  if (!rule) throw refusal('paths', 'the policy does not allow this path');
  return rule;
};

function readRule(given, allowHttp) {
  const rule = typeof given === 'string' ? { origin: given } : members(given, RULE, 'an element of allow');
  const { origin, methods = DEFAULT_METHODS, paths = ['/'], headers = {}, allowAddresses = [] } = rule;
  for (const method of names(methods, 'methods')) {
    if (FORBIDDEN_METHODS.includes(method.toUpperCase())) throw new TypeError(`${method} is no method of a request`);
  }
  const matches = originMatcher(origin, allowHttp);
  if (!Array.isArray(paths)) throw new TypeError('paths must be an array of paths');
  const secrets = Object.entries(members(headers, undefined, 'headers')).map(([name, value]) =>
    readSecret(name, value),
  );
  if (secrets.length > 0 && matches.isAny) throw new TypeError('headers cannot be for all origins');
  if (!Array.isArray(allowAddresses)) throw new TypeError('allowAddresses must be an array of addresses');
  return {
    matches,
    methods: methods.map((method) => method.toUpperCase()),
    paths: paths.map(readPath),
    secrets,
    addresses: allowAddresses.map((address) => range(String(address))),
  };
}

/** Tells the URLs of an origin: `https://example.com`, `https://*.example.com` for all names below it, `https://*` for all. */
function originMatcher(origin, allowHttp) {
  const wrong = (why) => new TypeError(`${JSON.stringify(origin)} is no origin that can be allowed: ${why}`);
  const url = typeof origin === 'string' && parsed(origin);
  if (!url) throw wrong('it must be like https://example.com');
  if (url.protocol === 'http:' && !allowHttp) throw wrong('http: needs the option allowHttp');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw wrong('the scheme must be https: or http:');
  if (url.href !== `${url.origin}/`) throw wrong('it has more than a scheme, a name and a port');
  const { protocol, hostname, port } = url;
  const isSame = (other) => other.protocol === protocol && other.port === port;
  if (hostname === '*') return Object.assign(isSame, { isAny: true });
  if (!hostname.includes('*')) return (other) => isSame(other) && other.hostname === hostname;
  const suffix = hostname.slice(1);
  // One label would be a whole top-level domain.
  if (!/^\*\.[^*]+$/.test(hostname) || !/^\.[^.]+\.[^.]+/.test(suffix))
    throw wrong('* can only be https://*, or stand before a name');
  return (other) => isSame(other) && other.hostname.length > suffix.length && other.hostname.endsWith(suffix);
}

function readPath(path) {
  const wrong = () => new TypeError(`${JSON.stringify(path)} is no path: it must begin with / and be as a URL has it`);
  if (typeof path !== 'string' || !path.startsWith('/') || path.startsWith('//')) throw wrong();
  const { href, pathname } = parsed(path, 'https://host') ?? {};
  if (href !== `https://host${path}` || AMBIGUOUS.test(pathname) || pathname !== path) throw wrong();
  return path;
}

/** Whether a path begins with one of these, as a whole or up to a slash. */
function isWithin(path, prefixes) {
  if (prefixes.includes('/')) return true;
  if (AMBIGUOUS.test(path)) return false;
  return prefixes.some((prefix) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`));
}

/** A header that is added. Its value can be a function, which is called for each request. */
function readSecret(name, value) {
  if (!TOKEN.test(name) || isOfHost(name.toLowerCase())) {
    throw new TypeError(`${JSON.stringify(name)} is no name of a header that can be added`);
  }
  if (typeof value === 'function') {
    const current = async () => checked(await value());
    return { name: name.toLowerCase(), value: current };
  }
  checked(value);
  return { name: name.toLowerCase(), value: () => value };

  function checked(text) {
    if (typeof text !== 'string' || !FIELD_VALUE.test(text)) {
      throw new TypeError(`the header ${name} must have a value that is a text of one line`);
    }
    return text;
  }
}

function names(list, what) {
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string' && TOKEN.test(name))) {
    throw new TypeError(`${what} must be an array of names`);
  }
  return list;
}

/** The members of an object, each read once. */
function members(object, known, what) {
  if (typeof object !== 'object' || object === null) throw new TypeError(`${what} must be an object`);
  const all = { ...object };
  const unknown = known && Object.keys(all).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`${what} knows no ${JSON.stringify(unknown)}`);
  return all;
}
