// Runs the tests on this machine's hypervisor and on an ordinary KVM (see machine.mjs), and compares what was run.
//
//   test.mjs           all tests; then, with shadow instead of nested paging, a part of them
//   test.mjs --part    only that part: the boundary, differences between hypervisors, snapshots, restored memory; with
//                      nested paging
//   test.mjs --arch arm64 ...
//                      on an ordinary KVM of arm64: see arm64-test.mjs
//   test.mjs --vmx ... on an ordinary KVM with Intel's VMX: see vmx-test.mjs
//
// Before either, those tests in Node.js that read files or run programs run on this machine, but with no more files than
// the other one has, so that a test that needs what is missing there is found without the emulation.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { ROOT, run, say, stop } from '../system.mjs';
import { addProgram, boot, fillBase, prepare, which } from './machine.mjs';
import { addNodeFiles } from './node-files.mjs';
import { parse } from './results.mjs';
import { rustPrograms } from './rust-programs.mjs';

const arch = process.argv.indexOf('--arch');
if (arch !== -1) {
  if (process.argv[arch + 1] !== 'arm64') stop('--arch takes arm64; without it the tests run on x86-64');
  await import('./arm64-test.mjs');
  process.exit();
}
if (process.argv.includes('--vmx')) {
  await import('./vmx-test.mjs');
  process.exit();
}

/** Test programs that show most of what differs between hypervisors. */
const PART = ['hostile_kernels', 'hypervisors', 'isolation', 'left_over_events', 'restored_memory', 'snapshots'];
/**
 * Left out on both sides: what runs other versions of Node.js, what uses other packages or npm, and what needs a compiler. They are
 * no matter of hypervisors and would fill the machine.
 */
const NOT_COMPARED = [
  ...['declarations.test.js', 'fastify.test.js', 'migrating.test.mjs', 'node-versions.test.js'],
  ...['bundle.test.js', 'jsx.test.js', 'npm-packages.test.js', 'packages.test.js', 'recipes.test.js'],
];
/** Names of tests that may be skipped there, as they measure time, which emulation stretches. */
const MEASURES_TIME = /measures time/;
/** In the source of a test that needs more of a machine than the addon and what is compiled. */
const NEEDS_FILES = /require\("(node:child_process|node:fs|(\.\.?\/)+mounts)"\)/;
/** Programs that tests run, and that busybox, which the emulated machine has, does not have or does otherwise. */
const PROGRAMS = ['unshare', 'setpriv', 'prlimit', 'env', 'mount', 'sh'];

const partOnly = process.argv.includes('--part');
prepare();
const programs = rustPrograms();
const compiled = compiledNodeTests();
const nodeTests = partOnly ? [] : compiled;
const summary = [['', 'passed', 'failed', 'skipped', 'minutes']];
const tree = mkdtempSync(join(tmpdir(), 'standard-kvm-tree-'));
let failed = false;
try {
  await checkNeeds(compiled.filter((file) => NEEDS_FILES.test(readFileSync(file, 'utf8'))));
  const all = partOnly ? programs.filter(({ name }) => PART.includes(name)) : programs;
  fill(tree, all);
  if (!partOnly) say(`left out: ${NOT_COMPARED.join(', ')}, which are not about hypervisors`);
  say(`tests: ${[...all.map(({ name }) => name), ...nodeTests.map((file) => relative(ROOT, file))].join(', ')}`);

  const here = existsSync('/dev/kvm')
    ? await section('this machine', (command) => shell(command), all, nodeTests)
    : say('this machine has no hypervisor of its own, so there is nothing to compare with');
  const nested = await section(
    'standard KVM, nested paging',
    (command) => boot({ tree, command, minutes: partOnly ? 30 : 120 }),
    all,
    nodeTests,
  );
  if (here) compare(here.results, nested.results);
  if (!partOnly) {
    const part = programs.filter(({ name }) => PART.includes(name));
    const shadow = (command) => boot({ tree, command, kvmOptions: 'npt=0' });
    await section('standard KVM, shadow paging', shadow, part, []);
  }
} finally {
  rmSync(tree, { recursive: true, force: true });
}
console.log();
for (const [where, ...figures] of summary) {
  console.log(where.padEnd(30) + figures.map((figure) => String(figure).padStart(9)).join(''));
}
process.exitCode = failed ? 1 : 0;

function compiledNodeTests() {
  run('npm', ['run', '--silent', 'build']);
  const compiled = join(ROOT, 'target', '__test__');
  rmSync(compiled, { recursive: true, force: true });
  run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')]);
  return readdirSync(compiled, { recursive: true })
    .filter((file) => /\.test\.[cm]?js$/.test(file) && !NOT_COMPARED.includes(basename(file)))
    .map((file) => join(compiled, file));
}

/**
 * Everything that the tests need, at the paths that it has here. The emulated machine is given it as one archive, which must be
 * smaller than 2 GiB: what only a debugger reads is left out.
 */
function fill(tree, programs) {
  for (const { path } of programs) {
    addProgram(tree, path);
    run('strip', ['--strip-debug', join(tree, path)]);
  }
  if (!partOnly) fillForNode(tree);
}

/** What the tests in Node.js need: Node.js, the programs that tests run, and files. */
function fillForNode(tree) {
  for (const program of [process.execPath, ...PROGRAMS.map(which)]) addProgram(tree, program);
  addNodeFiles(tree);
}

/** Runs tests on this machine's hypervisor, with the files of the emulated machine and no others. */
async function checkNeeds(nodeTests) {
  if (!existsSync('/dev/kvm')) {
    return say('this machine has no hypervisor: whether the emulated one has all files is seen when it runs the tests');
  }
  const root = mkdtempSync(join(tmpdir(), 'standard-kvm-root-'));
  try {
    fillBase(root);
    fillForNode(root);
    const { status } = await section(
      'this machine, with the files of the emulated one',
      (command) => shell(command, { root }),
      [],
      nodeTests,
    );
    if (status !== 0) {
      say('a test above may need a file or a program that is not there: see fillForNode() in standard-kvm/test.mjs');
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Runs the tests on one hypervisor and prints the counts; gives the names and results of the tests. */
async function section(where, runCommand, programs, nodeTests) {
  console.log(`\n== ${where}`);
  const started = Date.now();
  // One test at a time: the emulated machine has one processor, and output must not mix.
  const commands = programs.map(({ name, path }) => `echo "# program ${name}"; ${path} --test-threads=1 || failed=1`);
  if (nodeTests.length > 0) {
    const files = nodeTests.map((file) => `'${file}'`).join(' ');
    commands.push(
      `echo "# program node"; '${process.execPath}' --test --test-concurrency=1 --test-reporter=tap ${files} || failed=1`,
    );
  }
  const stretched = where.startsWith('standard KVM') ? 'export TIME_IS_STRETCHED=1; ' : '';
  const command = `${stretched}cd '${ROOT}'; failed=0; ${commands.join('; ')}; exit $failed`;
  const { status, text } = await runCommand(command);
  const results = parse(text);
  const count = (result) => [...results.values()].filter((value) => value === result).length;
  summary.push([
    where,
    count('passed'),
    count('failed'),
    count('skipped'),
    ((Date.now() - started) / 60_000).toFixed(1),
  ]);
  if (status !== 0 || count('failed') > 0 || count('passed') === 0) failed = true;
  return { results, status };
}

/** A test that one hypervisor knows and the other does not, or that only one skips without measuring time, is an error. */
function compare(here, there) {
  for (const name of new Set([...here.keys(), ...there.keys()])) {
    const problem = !here.has(name)
      ? 'was not run on this machine'
      : !there.has(name)
        ? 'was not run on a standard KVM'
        : there.get(name) === 'skipped' && here.get(name) !== 'skipped' && !MEASURES_TIME.test(name)
          ? 'was skipped on a standard KVM though it does not measure time'
          : undefined;
    if (problem) {
      console.log(`the test "${name}" ${problem}`);
      failed = true;
    }
  }
}

/** Runs a shell command on this machine; with `root`, it sees the files of that folder and this machine's devices. */
function shell(command, { root } = {}) {
  const program = root === undefined ? ['sh', '-c', command] : changeRoot(root, command);
  return new Promise((resolve, reject) => {
    const child = spawn(program[0], program.slice(1), { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, text: Buffer.concat(chunks).toString() }));
  });
}

function changeRoot(root, command) {
  const namespace = process.getuid() === 0 ? [] : ['--map-root-user'];
  // A root that is no mount point could not have mounts of its own, which some tests make.
  const script = `
    mount --bind "$0" "$0" && cd "$0" && mkdir -p proc sys dev tmp || exit
    for folder in proc sys dev; do mount --rbind "/$folder" "$folder" || exit; done
    exec ./bin/busybox env -i HOME=/ PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \\
      ./bin/busybox chroot . /bin/busybox sh -c '/bin/busybox --install -s /bin; eval "$0"' "$1"
  `;
  return ['unshare', ...namespace, '--mount', 'sh', '-c', script, root, command];
}
