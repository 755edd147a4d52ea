// Runs the Quick Start and the doctor on an ordinary KVM with Intel's VMX (see vmx.mjs): with EPT, and with shadow paging.
//
//   test.mjs --vmx                     that
//   test.mjs --vmx --only NAME ...     these test programs in Rust instead, with EPT
//
// What has a guest compute without end is left out, of the test programs too: nothing stops it there, and the whole machine stands
// still, its serial lines too. Bochs delivers no interrupt while a guest runs that has them masked, as ours always has;
// docs/hypervisors.md says why. A real processor leaves the guest for any interrupt ("external-interrupt exiting"), and so does AMD's
// as QEMU plays it.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from '../system.mjs';
import { addProgram } from './machine.mjs';
import { countsOf, parse } from './results.mjs';
import { rustPrograms } from './rust-programs.mjs';
import { boot, prepare } from './vmx.mjs';

const args = process.argv.slice(2);
const only = args.includes('--only') ? args.slice(args.indexOf('--only') + 1) : [];

prepare();
const programs = only.length > 0 ? rustPrograms(only) : [];
if (only.length === 0) run('npm', ['run', '--silent', 'build']);
const tree = mkdtempSync(join(tmpdir(), 'standard-kvm-tree-'));
try {
  fill(tree);
  const started = Date.now();
  const commands = only.length > 0 ? programs.map(({ name, path }) => rustTest(name, path)) : nodePrograms();
  const command = `export TIME_IS_STRETCHED=1; cd '${ROOT}'; failed=0; ${commands.join('; ')}; exit $failed`;
  const { status, text } = await boot({ tree, command });
  const results = parse(text);
  console.log(`\nVMX: ${countsOf(results)}, ${((Date.now() - started) / 60_000).toFixed(1)} minutes`);
  if (status !== 0 || results.size === 0 || [...results.values()].includes('failed')) process.exitCode = 1;
} finally {
  rmSync(tree, { recursive: true, force: true });
}

/** The addon and Node.js, or the test programs. */
function fill(tree) {
  mkdirSync(join(tree, ROOT), { recursive: true });
  for (const { path } of programs) {
    addProgram(tree, path);
    run('strip', ['--strip-debug', join(tree, path)]);
  }
  if (only.length > 0) return;
  addProgram(tree, process.execPath);
  for (const file of ['package.json', 'js-host-api.linux-x64-gnu.node', 'lib', 'bin']) {
    cpSync(join(ROOT, file), join(tree, ROOT, file), { recursive: true });
  }
  const quickStart = readFileSync(join(ROOT, 'README.md'), 'utf8').match(/^## Quick Start\n+```js\n(.*?)^```$/ms)?.[1];
  writeFileSync(join(tree, ROOT, 'quick-start.mjs'), quickStart);
  // Programs find the package by its name, through this link.
  const scope = join(tree, ROOT, 'node_modules', '@hyperlight');
  mkdirSync(scope, { recursive: true });
  symlinkSync(join('..', '..'), join(scope, 'js-host-api'));
}

function rustTest(name, path) {
  const endless = ['endless', 'loop', 'stopped', 'cancel'].map((word) => `--skip ${word}`).join(' ');
  return `echo "# program ${name}"; ${path} --test-threads=1 ${endless} || failed=1`;
}

/** The programs with EPT, then with shadow paging. */
function nodePrograms() {
  let number = 0;
  // Compiling JavaScript costs more there than it saves.
  const node = (file) => {
    number += 1;
    const result = `ok ${number} - ${file}`;
    return `if '${process.execPath}' --jitless ${file}; then echo "${result}"; else echo "not ${result}"; failed=1; fi`;
  };
  const both = () => [node('quick-start.mjs'), node('bin/hyperlight-js.js doctor')];
  const reload = 'rmmod kvm_intel && insmod /modules/kvm-intel.ko ept=0 || failed=1';
  return ['echo "# program EPT"', ...both(), reload, 'echo "# program shadow-paging"', ...both()];
}
