// What the tests in Node.js need beside Node.js and the addon, at the paths that it has here.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copySources, ROOT } from '../system.mjs';

/** All sources, with the addon if it is built, the compiled tests, and the one package of npm's that many of them use. */
export function addNodeFiles(tree) {
  copySources(join(tree, ROOT));
  cpSync(join(ROOT, 'target', '__test__'), join(tree, ROOT, 'target', '__test__'), { recursive: true });
  const typescript = join('node_modules', 'typescript');
  for (const file of ['package.json', join('lib', 'typescript.js')])
    cpSync(join(ROOT, typescript, file), join(tree, ROOT, typescript, file));
  // Programs find the package by its name, through this link.
  const scope = join(tree, ROOT, 'node_modules', '@hyperlight');
  mkdirSync(scope, { recursive: true });
  symlinkSync(join('..', '..'), join(scope, 'js-host-api'));
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc', 'hosts'), '127.0.0.1 localhost\n');
  // There is no server of names, and so no answer that a name does not exist.
  writeFileSync(join(tree, 'etc', 'nsswitch.conf'), 'hosts: files\n');
}
