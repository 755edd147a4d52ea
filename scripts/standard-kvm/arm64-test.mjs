// Runs the Rust tests on an ordinary KVM of arm64 (see arm64.mjs). Those of Node.js do not run there yet.
//
//   test.mjs --arch arm64                     all Rust tests
//   test.mjs --arch arm64 --part              only what has been shown to pass: calls, the boundary, snapshots
//   test.mjs --arch arm64 --only NAME ...     only the test programs of these names
//   test.mjs --arch arm64 --cpu max ...       on a processor with all that QEMU knows: VHE, PAN
//   test.mjs --arch arm64 --build             only compiles them
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, say, stop } from '../system.mjs';
import { addProgram, BUILD_ENVIRONMENT, boot, fillBase, prepare, prepareCompilers, TARGET } from './arm64.mjs';
import { parse } from './results.mjs';

/** Left out, since they would take many minutes each where every instruction is emulated. */
const TOO_SLOW = {
  a_heap_beyond_4_gib_works_and_is_restored: 'the host makes page tables for 5 GiB at each restore',
  a_program_that_allocates_in_clean_state_needs_few_faults_and_little_more_memory: '40 million calls of a function',
  javascript_that_uses_up_the_heap_gets_an_exception: 'it fills the heap with objects twenty times',
};
/** What has been shown to pass there; the others have not been run as a whole. */
const PART = ['clock', 'handlers', 'host_functions', 'isolation', 'snapshots', 'suspensions'];

const args = process.argv.slice(2);
const name = args.includes('--cpu') ? args[args.indexOf('--cpu') + 1] : 'cortex-a72';
// QEMU's own algorithm for pointer authentication is much faster than that of real processors.
const cpu = name === 'max' ? 'max,pauth-impdef=on' : name;
const only = args.includes('--only') ? args.slice(args.indexOf('--only') + 1) : args.includes('--part') ? PART : [];

if (args.includes('--build')) {
  prepareCompilers();
  say(`compiled for arm64: ${build().length} test programs`);
} else {
  prepare();
  await test(build());
}

/** The integration tests, built. */
function build() {
  const wanted = only.length > 0 ? only.flatMap((name) => ['--test', name]) : ['--tests'];
  const { status, stdout } = spawnSync(
    'cargo',
    [
      ...['test', '--no-run', '--no-default-features', '--features', 'test-guest', '--target', TARGET],
      ...[...wanted, '--message-format=json-render-diagnostics'],
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      env: { ...process.env, ...BUILD_ENVIRONMENT },
    },
  );
  if (status !== 0) stop('the tests could not be built for arm64');
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((message) => message.executable && message.target?.kind.includes('test'))
    .map((message) => ({ name: message.target.name, path: message.executable }));
}

async function test(programs) {
  for (const [test, reason] of Object.entries(TOO_SLOW)) say(`left out: ${test}: ${reason}`);
  const tree = mkdtempSync(join(tmpdir(), 'standard-kvm-tree-'));
  try {
    fillBase(tree);
    for (const { path } of programs) addProgram(tree, path);
    // One test at a time: the emulated machine has one processor, and output must not mix.
    const options = ['--test-threads=1', ...Object.keys(TOO_SLOW).map((test) => `--skip ${test}`)].join(' ');
    const commands = programs.map(({ name, path }) => `echo "# program ${name}"; ${path} ${options} || failed=1`);
    const command = `export TIME_IS_STRETCHED=1; mkdir -p '${ROOT}'; cd '${ROOT}'; failed=0; ${commands.join('; ')}; exit $failed`;
    const started = Date.now();
    const { status, text } = await boot({ tree, command, cpu, minutes: 60 });
    const results = [...parse(text)];
    console.log();
    const names = programs.map(({ name }) => name);
    for (const name of [...names, 'all']) {
      const own = results.filter(([test]) => name === 'all' || test.startsWith(`${name}: `));
      const count = (result) => `${own.filter(([, value]) => value === result).length} ${result}`;
      console.log(`${name.padEnd(30)}${['passed', 'failed', 'skipped'].map(count).join(', ')}`);
    }
    console.log(`arm64, ${cpu}: ${((Date.now() - started) / 60_000).toFixed(1)} minutes`);
    if (status !== 0 || results.length === 0 || results.some(([, value]) => value === 'failed')) process.exitCode = 1;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
