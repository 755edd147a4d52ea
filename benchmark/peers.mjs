// Installs what is compared with beside this file, apart from the project's own modules, and says which version is there.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { works } from '../scripts/system.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** isolated-vm 7 needs Node.js 22; the last one for those before it has to be compiled. */
const IS_NODE_OLD = Number(process.versions.node.split('.')[0]) < 22;
export const ISOLATED_VM = IS_NODE_OLD ? 'isolated-vm-for-node-20' : 'isolated-vm';

/** One that cannot be had is left out of the benchmark. */
export function installPeers() {
  const installed = path('node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(path('package-lock.json')).mtimeMs) return;
  console.log('installing what to compare with');
  const quiet = ['--prefix', path('.'), '--no-audit', '--no-fund', '--loglevel=error'];
  works('npm', ['ci', '--ignore-scripts', ...quiet], 'inherit');
  if (!IS_NODE_OLD) return;
  console.log('compiling isolated-vm; this takes a minute or more');
  works('npm', ['rebuild', ISOLATED_VM, ...quiet], 'inherit');
}

export function versionOf(name) {
  return JSON.parse(readFileSync(path(`node_modules/${name}/package.json`), 'utf8')).version;
}
