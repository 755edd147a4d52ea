// Installs what the recipes use beside the package, apart from the project's own modules: `npm start` does not need it.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, say, works } from './system.mjs';

const MANIFESTS = join(ROOT, 'docs', 'recipes');
/** Where the recipes run. */
const FOLDER = join(ROOT, 'target', 'recipes');
const LOCK = 'package-lock.json';

/** If they cannot be had, the tests of the recipes that use them fail. */
export function installRecipes() {
  const installed = join(FOLDER, 'node_modules', `.${LOCK}`);
  if (existsSync(installed) && readFileSync(join(FOLDER, LOCK)).equals(readFileSync(join(MANIFESTS, LOCK)))) return;
  say('installing the modules of the recipes');
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ['package.json', LOCK]) cpSync(join(MANIFESTS, file), join(FOLDER, file));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retry-maxtimeout=10000'];
  works('npm', ['ci', '--ignore-scripts', '--prefix', FOLDER, ...quiet], 'inherit');
}
