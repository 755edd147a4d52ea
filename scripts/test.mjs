// Runs all tests and ends with one line of counts for each kind. All of them run on a real hypervisor.
import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import './setup.mjs';
import { fetchNodeVersions, programOf, UNAVAILABLE } from './node-versions.mjs';
import { installTestModules } from './test-modules.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILED = join(ROOT, 'target', '__test__');
const PACKAGES = join(ROOT, 'packages');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const CODE_MODE_TESTS = join(PACKAGES, 'code-mode', 'test');
/** The libraries that they are about need Node.js 22.13 or later. */
const FOR_CODE_MODES = 24;
const IS_WINDOWS = process.platform === 'win32';
/** A file of tests that takes longer hangs: it is ended, and named as failed. */
const FILE_TIMEOUT_MINUTES = 10;
/** The same of a whole command. */
const COMMAND_TIMEOUT_MINUTES = 20;

checkHypervisor();
fetchNodeVersions();
installTestModules();
const results = [await testRust(), await testNode()];
console.log();
for (const { name, passed, failed } of results) {
  console.log(`${name}: ${passed} passed, ${failed} failed`);
}
process.exitCode = results.every(({ passed, failed }) => passed > 0 && failed === 0) ? 0 : 1;

function checkHypervisor() {
  if (process.platform !== 'linux') return;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    console.error(`The tests need a hypervisor, but /dev/kvm cannot be opened: ${error.message}`);
    process.exit(1);
  }
}

async function testRust() {
  // The library without Node.js, again with what features add, then the parts of the addon and of the guest that need no
  // VM, and the models of what its threads have agreed on.
  const runs = [
    ['test', '--no-fail-fast', '--no-default-features', '--features', 'test-guest'],
    [
      ...[
        'test',
        '--no-fail-fast',
        '--no-default-features',
        '--features',
        'test-guest,crashdump,function_call_metrics',
      ],
      ...['--test', 'crashdump', '--test', 'observability'],
    ],
    ['test', '--no-fail-fast', '--no-default-features', '--features', 'gdb', '--test', 'gdb'],
    ['test', '--no-fail-fast', '--package', 'hyperlight-js-host-api', '--lib', 'node::'],
    ['test', '--no-fail-fast', '--package', 'guest-abi', '--package', 'guest-kernel', '--lib'],
    [
      'test',
      '--no-fail-fast',
      '--package',
      'guest-commonjs',
      '--package',
      'guest-intl',
      '--package',
      'guest-source-maps',
      '--package',
      'guest-temporal',
      '--package',
      'guest-typescript',
    ],
    ['test', '--no-fail-fast', '--package', 'hyperlight-js-models'],
  ];
  const total = { name: 'rust', passed: 0, failed: 0 };
  for (const args of runs) {
    const { text, status } = await run('cargo', args);
    let failed = 0;
    for (const [, passedHere, failedHere] of text.matchAll(/^test result: .* (\d+) passed; (\d+) failed;/gm)) {
      total.passed += Number(passedHere);
      failed += Number(failedHere);
    }
    // A run that did not get as far as its tests has failed as well.
    total.failed += status !== 0 && failed === 0 ? 1 : failed;
  }
  return total;
}

async function testNode() {
  // What a deleted test was compiled to must not run on.
  rmSync(COMPILED, { recursive: true, force: true });
  for (const project of [ROOT, PACKAGES]) {
    const compiler = await run(process.execPath, [TSC, '--project', project]);
    if (compiler.status !== 0) return { name: 'node', passed: 0, failed: 1 };
  }
  const total = { name: 'node', passed: 0, failed: 0 };
  for (const [node, folders] of [
    [process.execPath, [COMPILED, ...packageTests().filter((folder) => folder !== CODE_MODE_TESTS)]],
    [UNAVAILABLE ? process.execPath : programOf(FOR_CODE_MODES), [CODE_MODE_TESTS]],
  ]) {
    const { text, status } = await run(node, [
      '--test',
      '--test-reporter=spec',
      // Node.js would leave one processor idle. Many tests wait for something most of their time.
      `--test-concurrency=${availableParallelism()}`,
      `--test-timeout=${FILE_TIMEOUT_MINUTES * 60_000}`,
      ...folders.flatMap(testsIn),
    ]);
    const count = (word) => Number(text.match(new RegExp(`^ℹ ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
    const failed = count('fail') + count('cancelled');
    total.passed += count('pass');
    total.failed += status !== 0 && failed === 0 ? 1 : failed;
  }
  return total;
}

function testsIn(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((file) => /\.test\.[cm]?js$/.test(file));
  return names.map((name) => join(folder, name));
}

/** The folders of the tests of packages/. */
function packageTests() {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = workspaces.filter((workspace) => workspace.startsWith('packages/'));
  return packages.map((workspace) => join(ROOT, workspace, 'test'));
}

/** Runs a command, shows what it prints and gives it back. What hangs is ended. */
function run(command, args) {
  console.log(`\n> ${[command, ...args].join(' ').replaceAll(ROOT, '')}`);
  return new Promise((resolve) => {
    // With a process group of its own, so that what it has started ends with it.
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], detached: !IS_WINDOWS });
    const end = () => (IS_WINDOWS ? child.kill() : process.kill(-child.pid, 'SIGKILL'));
    const timer = setTimeout(() => {
      console.error(`${command} has not ended after ${COMMAND_TIMEOUT_MINUTES} minutes: it is ended`);
      end();
    }, COMMAND_TIMEOUT_MINUTES * 60_000);
    const stop = () => {
      end();
      process.exit(1);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const chunks = [];
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', ({ message }) => {
      console.error(message);
      resolve({ text: '', status: 1 });
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve({ text: Buffer.concat(chunks).toString(), status });
    });
  });
}
