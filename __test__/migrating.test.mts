// Runs the programs of the page for those who come from another package, with that package and with this one.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Runner, testPage } from './pages.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { UNAVAILABLE, programOf } = await import(join(ROOT, 'scripts', 'node-versions.mjs'));
/** isolated-vm 7 comes with binaries for this version and later ones. */
const FOR_ISOLATED_VM = 24;

testPage('docs/migrating.md', {
  modules: join(ROOT, 'target', 'recipes'),
  others: new Map<string, Runner>([
    ['vm2', { node: process.execPath }],
    ['isolated-vm', { node: programOf(FOR_ISOLATED_VM), skip: UNAVAILABLE }],
    ['quickjs-emscripten', { node: process.execPath }],
  ]),
});
