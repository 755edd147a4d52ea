// Runs the tests on an ordinary KVM of arm64 (see arm64.mjs): those in Rust, examples/simple.js, the doctor, and those of Node.js.
//
//   test.mjs --arch arm64                     all tests; those of Node.js also on this machine, with the counts side by side
//   test.mjs --arch arm64 --part              the boundary, and what is left in a virtual processor: boot, gate, faults, stopping, restores
//   test.mjs --arch arm64 --only NAME ...     only these: a test program in Rust, or pool.test and the like for Node.js
//   test.mjs --arch arm64 --cpu max ...       on a processor with all that QEMU knows: VHE, PAN
//   test.mjs --arch arm64 --build             only compiles them
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BUILD_ENVIRONMENT, GNU, prepareCompilers, prepareNode } from '../arm64.mjs';
import { ADDONS, build as buildAddon } from '../pack/build.mjs';
import { ROOT, run, say } from '../system.mjs';
import { addNode, addProgram, boot, fillBase, prepare } from './arm64.mjs';
import { addNodeFiles } from './node-files.mjs';
import { countsOf, parse } from './results.mjs';
import { rustPrograms } from './rust-programs.mjs';

/** Left out, since they would take many minutes each where every instruction is emulated. */
const TOO_SLOW = {
  a_heap_beyond_4_gib_works_and_is_restored: 'the host makes page tables for 5 GiB at each restore',
  a_program_that_allocates_in_clean_state_needs_few_faults_and_little_more_memory: '40 million calls of a function',
  javascript_that_uses_up_the_heap_gets_an_exception: 'it fills the heap with objects twenty times',
};
/** Those of Node.js that are left out, by their files. */
const NODE_LEFT_OUT = {
  ...reason('it needs what npm installs, other versions of Node.js, or a compiler, as on x86-64', [
    ...['bundle.test.js', 'declarations.test.js', 'fastify.test.js', 'migrating.test.mjs', 'node-versions.test.js'],
    ...['jsx.test.js', 'npm-packages.test.js', 'packages.test.js', 'recipes.test.js'],
  ]),
  ...reason('it measures', ['benchmark.test.js', 'soak.test.js']),
};
/** Of what is done many times, less. */
const LESS = 'POOL_REQUESTS=40 HOSTILE_RUNS=20 INTERLEAVINGS=10';
/** The least that shows most, in less than five minutes. None of Node.js: its addon takes longer to build than these to run. */
const PART = ['hostile_kernels', 'isolation', 'left_over_events'];

const args = process.argv.slice(2);
const name = args.includes('--cpu') ? args[args.indexOf('--cpu') + 1] : 'cortex-a72';
// QEMU's own algorithm for pointer authentication is much faster than that of real processors.
const cpu = name === 'max' ? 'max,pauth-impdef=on' : name;
const chosen = args.includes('--only')
  ? args.slice(args.indexOf('--only') + 1)
  : args.includes('--part')
    ? PART
    : undefined;
const ofNode = chosen?.filter((name) => name.includes('.test'));
const ofRust = chosen?.filter((name) => !name.includes('.test'));

if (args.includes('--build')) {
  prepareCompilers();
  const programs = buildPrograms();
  const tests = buildNodeTests();
  say(`compiled for arm64: ${programs.length} test programs, and the addon for ${tests.length} files of tests`);
} else {
  prepare();
  if (ofNode?.length !== 0) prepareNode();
  await test(buildPrograms(), buildNodeTests());
}

function reason(text, files) {
  return Object.fromEntries(files.map((file) => [file, text]));
}

function buildPrograms() {
  return ofRust?.length === 0 ? [] : rustPrograms(ofRust, { target: GNU, environment: BUILD_ENVIRONMENT });
}

/** The addon as it is published, and the files of tests of Node.js, compiled. */
function buildNodeTests() {
  if (ofNode?.length === 0) return [];
  buildAddon([GNU]);
  const compiled = join(ROOT, 'target', '__test__');
  rmSync(compiled, { recursive: true, force: true });
  run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')]);
  return readdirSync(compiled, { recursive: true })
    .filter((file) => /\.test\.[cm]?js$/.test(file))
    .filter(
      (file) => ofNode?.some((name) => basename(file).startsWith(`${name}.`)) ?? !(basename(file) in NODE_LEFT_OUT),
    )
    .map((file) => join(compiled, file));
}

async function test(programs, nodeTests) {
  for (const [test, reason] of Object.entries({ ...TOO_SLOW, ...NODE_LEFT_OUT })) say(`left out: ${test}: ${reason}`);
  const tree = mkdtempSync(join(tmpdir(), 'standard-kvm-tree-'));
  try {
    fillBase(tree);
    for (const { path } of programs) addProgram(tree, path);
    if (nodeTests.length > 0) fillForNode(tree);
    // One test at a time: the emulated machine has one processor, and output must not mix.
    const options = ['--test-threads=1', ...Object.keys(TOO_SLOW).map((test) => `--skip ${test}`)].join(' ');
    const commands = programs.map(({ name, path }) =>
      timed(`echo "# program ${name}"; ${path} ${options} || failed=1`),
    );
    if (nodeTests.length > 0) commands.push(...nodeCommands('/bin/node', nodeTests));
    const command = `export TIME_IS_STRETCHED=1 ${LESS}; mkdir -p '${ROOT}'; cd '${ROOT}'; failed=0; ${commands.join('; ')}; exit $failed`;
    const started = Date.now();
    const { status, text } = await boot({ tree, command, cpu, minutes: 120 });
    const there = parse(text);
    const minutes = ((Date.now() - started) / 60_000).toFixed(1);
    // The tests in Rust have run on this machine before, without those that have no counterpart on the other processor.
    const here = chosen === undefined && nodeTests.length > 0 ? resultsHere(nodeTests) : undefined;
    console.log();
    const names = [...programs.map(({ name }) => name), ...(nodeTests.length > 0 ? ['programs', 'node'] : [])];
    for (const name of names) {
      const other = name === 'node' && here ? `   (this machine: ${countsOf(here, name)})` : '';
      const seconds = text.match(new RegExp(`^# program ${name}$[^]*?^# took (\\d+) s$`, 'm'))?.[1];
      console.log(`${name.padEnd(30)}${countsOf(there, name)}, ${seconds} s there${other}`);
    }
    console.log(`${`arm64, ${cpu}`.padEnd(30)}${countsOf(there)}, ${minutes} minutes`);
    if (status !== 0 || there.size === 0 || [...there.values()].includes('failed')) process.exitCode = 1;
    if (here) compare(here, there);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Commands that also say how long they took. */
function timed(commands) {
  return `start=$(date +%s); ${commands}; echo "# took $(($(date +%s) - start)) s"`;
}

/** The commands that run an example, the doctor, and the tests of Node.js. */
function nodeCommands(node, nodeTests) {
  const program = (number, name) =>
    `if ${node} ${name}; then echo "ok ${number} - ${name}"; else echo "not ok ${number} - ${name}"; failed=1; fi`;
  const files = nodeTests.map((file) => `'${file}'`).join(' ');
  return [
    ['echo "# program programs"', program(1, 'examples/simple.js'), program(2, 'bin/hyperlight-js.js doctor')],
    ['echo "# program node"', `${node} --test --test-concurrency=1 --test-reporter=tap ${files} || failed=1`],
  ].map((commands) => timed(commands.join('; ')));
}

/** Node.js, and what its tests need, with the addon for arm64 instead of that for this machine. */
function fillForNode(tree) {
  addNode(tree);
  addNodeFiles(tree);
  for (const file of readdirSync(join(tree, ROOT)).filter((name) => name.endsWith('.node')))
    rmSync(join(tree, ROOT, file));
  const addon = 'js-host-api.linux-arm64-gnu.node';
  cpSync(join(ADDONS, addon), join(tree, ROOT, addon));
}

/** The results of the same tests of Node.js on this machine, if it has a hypervisor. */
function resultsHere(nodeTests) {
  if (!existsSync('/dev/kvm')) return undefined;
  run('npm', ['run', '--silent', 'build']);
  const script = `failed=0; ${nodeCommands(`'${process.execPath}'`, nodeTests).join('; ')}; exit $failed`;
  const { stdout } = spawnSync('sh', ['-c', script], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 30 });
  return parse(stdout);
}

/** A test of Node.js that only one of the machines knows is an error. */
function compare(here, there) {
  for (const [one, other, where] of [
    [here, there, 'arm64'],
    [there, here, 'this machine'],
  ]) {
    for (const name of one.keys()) {
      if (!name.startsWith('node: ') || other.has(name)) continue;
      console.log(`the test "${name}" was not run on ${where}`);
      process.exitCode = 1;
    }
  }
}
