// Installs what tests use beside the package, apart from the project's own modules: `npm start` does not need it.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, ROOT, say, works } from './system.mjs';

const LOCK = 'package-lock.json';

/** If they cannot be had, the tests that use them fail. */
export function installTestModules() {
  // The recipes run where their modules are.
  install('the recipes', join(ROOT, 'docs', 'recipes'), join(ROOT, 'target', 'recipes'));
  // What the tests of packages/bullmq and packages/oci start.
  if (process.platform === 'linux') {
    installPackages(
      { 'redis-server': ['redis-server'], 'docker-registry': ['docker-registry'] },
      { Fedora: 'dnf install valkey-compat-redis docker-distribution', Alpine: 'apk add redis docker-registry' },
    );
  }
  // The packages whose work in guests is tested.
  install('the tests of npm packages', join(ROOT, '__test__', 'npm'), join(ROOT, 'target', 'npm-packages'));
  // The libraries that the packages are for, where their tests find them.
  install('the tests of the packages', join(ROOT, 'packages'), join(ROOT, 'packages'));
}

function install(user, manifests, folder) {
  const lock = readFileSync(join(manifests, LOCK));
  const installed = join(folder, 'node_modules', '.installed');
  if (existsSync(installed) && readFileSync(installed).equals(lock)) return;
  say(`installing the modules of ${user}`);
  mkdirSync(folder, { recursive: true });
  if (folder !== manifests)
    for (const file of ['package.json', LOCK]) cpSync(join(manifests, file), join(folder, file));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retry-maxtimeout=10000'];
  if (works('npm', ['ci', '--ignore-scripts', '--prefix', folder, ...quiet], 'inherit')) writeFileSync(installed, lock);
}
