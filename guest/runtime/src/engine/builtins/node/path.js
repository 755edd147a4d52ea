// The module `path`, for paths with slashes. There are no others here: `win32` is not there.

import { checkString, invalidType } from 'hyperlight:node/errors';

const SLASH = '/';
/** Where relative paths begin: there is no other folder. */
const ROOT = '/';

/** The parts of a path without those that go back, as far as they can. */
function simplified(path, isAbsolute) {
  const parts = [];
  for (const part of path.split(SLASH)) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isAbsolute) parts.push('..');
  }
  return parts.join(SLASH);
}

export const sep = SLASH;
export const delimiter = ':';

export function resolve(...paths) {
  let resolved = '';
  let isAbsolute = false;
  for (let i = paths.length - 1; i >= -1 && !isAbsolute; i--) {
    const path = i >= 0 ? paths[i] : ROOT;
    checkString(path, `paths[${i}]`);
    if (path === '') continue;
    resolved = `${path}/${resolved}`;
    isAbsolute = path.startsWith(SLASH);
  }
  return `/${simplified(resolved, true)}`;
}

export function normalize(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const absolute = path.startsWith(SLASH);
  let result = simplified(path, absolute);
  if (result === '') {
    if (absolute) return SLASH;
    return path.endsWith(SLASH) ? './' : '.';
  }
  if (path.endsWith(SLASH)) result += SLASH;
  return absolute ? SLASH + result : result;
}

export function isAbsolute(path) {
  checkString(path, 'path');
  return path.startsWith(SLASH);
}

export function join(...paths) {
  for (const path of paths) checkString(path, 'path');
  const joined = paths.filter((path) => path !== '').join(SLASH);
  return joined === '' ? '.' : normalize(joined);
}

export function relative(from, to) {
  checkString(from, 'from');
  checkString(to, 'to');
  if (from === to) return '';
  const [source, target] = [resolve(from), resolve(to)].map((path) => path.split(SLASH).filter(Boolean));
  let same = 0;
  while (same < source.length && same < target.length && source[same] === target[same]) same += 1;
  return [...source.slice(same).map(() => '..'), ...target.slice(same)].join(SLASH);
}

export function toNamespacedPath(path) {
  return path;
}

/** Where the last part of a path begins and ends, slashes at the end left out. */
function lastPart(path) {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end -= 1;
  return { start: path.lastIndexOf(SLASH, end - 1) + 1, end };
}

export function dirname(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const { start, end } = lastPart(path);
  if (end === 0) return SLASH;
  if (start === 0) return '.';
  let stop = start - 1;
  if (stop === 0) return SLASH;
  // Of two slashes at the beginning, both stay.
  if (stop === 1 && path.startsWith('//')) stop = 2;
  return path.slice(0, stop === 2 && path.startsWith('//') ? 2 : stop);
}

export function basename(path, suffix) {
  if (suffix !== undefined) checkString(suffix, 'suffix');
  checkString(path, 'path');
  const { start, end } = lastPart(path);
  const name = path.slice(end === 0 ? 0 : start, end);
  if (suffix === undefined || suffix === '' || suffix === path) return suffix === path && suffix !== '' ? '' : name;
  return name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

export function extname(path) {
  checkString(path, 'path');
  const { start, end } = lastPart(path);
  const name = path.slice(end === 0 ? 0 : start, end);
  const dot = name.lastIndexOf('.');
  return dot <= 0 || name === '..' ? '' : name.slice(dot);
}

export function parse(path) {
  checkString(path, 'path');
  const root = path.startsWith(SLASH) ? SLASH : '';
  const { start, end } = lastPart(path);
  const base = path.slice(end === 0 ? 0 : start, end);
  const ext = extname(path);
  let dir = start > 1 ? path.slice(0, start - 1) : root;
  if (end === 0) dir = root;
  return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) };
}

export function format(path) {
  if (path === null || typeof path !== 'object') throw invalidType('"pathObject" argument', 'of type object', path);
  const dir = path.dir || path.root;
  const { ext = '' } = path;
  const base = path.base || `${path.name || ''}${ext !== '' && !ext.startsWith('.') ? '.' : ''}${ext}`;
  if (!dir) return base;
  return dir === path.root ? `${dir}${base}` : `${dir}/${base}`;
}

export const posix = {
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
  sep,
  toNamespacedPath,
};
posix.posix = posix;

export default posix;
