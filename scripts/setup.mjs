// Makes a fresh machine ready and builds the addon.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, run, say } from './system.mjs';

prepare();
buildAddon();

function buildAddon() {
  say('building the addon');
  // The napi tools set a variable for their first build only, so cargo takes the second for a change. Have it now.
  const isFirst = !existsSync(join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'napi-rs'));
  run('npm', ['run', '--silent', 'build']);
  if (isFirst) run('npm', ['run', '--silent', 'build']);
}
