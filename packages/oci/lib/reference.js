// Names of artifacts in registries: `host[:port]/name:tag`, or `host[:port]/name@digest`.
import { invalid } from './failure.js';

const HOST = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${COMPONENT}(/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Characters of the longest name: with them the pattern takes little time, whatever they are. */
const NAME_MAX = 255;
const REFERENCE_MAX = 1024;

/**
 * The parts of a name. Without a tag and a digest it has the tag `latest`; with both, the digest counts. `scheme` is
 * there if the name begins with one.
 */
export function parseReference(text) {
  const wrong = () => invalid(`${String(text).slice(0, 200)} is neither registry/name:tag nor registry/name@sha256:…`);
  if (typeof text !== 'string' || text.length > REFERENCE_MAX) throw wrong();
  const [, scheme, rest] = text.match(/^(?:(https?):\/\/)?(.*)$/s);
  const slash = rest.indexOf('/');
  const [host, path] = [rest.slice(0, Math.max(slash, 0)), rest.slice(slash + 1)];
  const [named, digest, ...more] = path.split('@');
  const colon = named.indexOf(':');
  const [name, tag] = colon < 0 ? [named, undefined] : [named.slice(0, colon), named.slice(colon + 1)];
  const isRight =
    HOST.test(host) &&
    name.length <= NAME_MAX &&
    NAME.test(name) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest)) &&
    more.length === 0;
  if (!isRight) throw wrong();
  return { scheme, host, name, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

export function isDigest(text) {
  return typeof text === 'string' && DIGEST.test(text);
}

/** Whether a host is this machine itself, so that nobody is on the way to it. */
export function isLoopback(host) {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host);
}
