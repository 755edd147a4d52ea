// What a machine offers to sandboxes, found out without the native module as far as possible, and one handler on it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const { join, posix } = require('node:path');
const { isDeepStrictEqual } = require('node:util');

const PACKAGE = join(__dirname, '..');
const DEVICE = '/dev/kvm';
const FEATURES = ['vmx', 'svm', 'ept', 'npt', 'constant_tsc', 'nonstop_tsc', 'hypervisor'];
const HANDLER = `
  let calls = 0;
  function handler(event) {
    calls += 1;
    return { message: 'Hello, ' + event.name + '!', calls };
  }
`;
/** Nothing here takes long, but a sick machine must not keep the program from telling what it knows. */
const LIMITS = { wallClockTimeoutMs: 60_000 };
/** What to do where macOS does not let Node.js use its hypervisor. */
const SIGN =
  `codesign --sign - --force --entitlements ${join(PACKAGE, 'lib', 'hypervisor.entitlements')} COPY-OF-NODE, and run that; ` +
  'see docs/where-it-runs.md';
/** Sandboxes that are made to see what one takes. */
const MEASURED = 8;

/** The report; docs/doctor.md explains its keys. */
async function examine() {
  const { version } = JSON.parse(fs.readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const report = {
    ok: false,
    failure: null,
    warning: null,
    library: { version, guestImage: null },
    node: node(),
    system: { platform: process.platform, architecture: process.arch, release: os.release(), libc: libc() },
    hypervisor: hypervisor(),
    processor: processor(),
    memory: memory(),
    limits: limits(),
    steps: [],
  };
  await tryOut(report);
  return report;
}

function node() {
  return { version: process.versions.node, nodeApi: Number(process.versions.napi) };
}

function libc() {
  if (process.platform !== 'linux') return null;
  const version = process.report?.getReport().header.glibcVersionRuntime;
  return version === undefined ? 'musl' : `glibc ${version}`;
}

function hypervisor() {
  if (process.platform !== 'linux') {
    const entitled = process.platform === 'darwin' ? isEntitled() : null;
    return { device: null, modules: [], nestedPaging: null, entitled, advice: entitled === false ? SIGN : null };
  }
  const device = kvm();
  // Beside `kvm` itself: the one that knows the processor.
  const modules = list('/sys/module').filter((name) => /^kvm_/.test(name));
  const parameters = ['kvm_intel/parameters/ept', 'kvm_amd/parameters/npt'];
  const paging = parameters.map((name) => read(`/sys/module/${name}`)).find((value) => value !== undefined);
  const nestedPaging = paging === undefined ? null : /^[Y1]/.test(paging);
  return { device, modules, nestedPaging, entitled: null, advice: advice(device) };
}

/** Whether macOS lets this program use its hypervisor, by its signature; `null` if it cannot be told. */
function isEntitled() {
  const options = ['--display', '--entitlements', '-', '--xml', process.execPath];
  const { status, stdout } = spawnSync('codesign', options, { encoding: 'utf8' });
  return status === 0 ? stdout.includes('com.apple.security.hypervisor') : null;
}

/** Whether /dev/kvm is there and this process may open it. */
function kvm() {
  const device = { path: DEVICE, present: true, mode: null, owner: null, group: null, canBeOpened: false, error: null };
  try {
    const { mode, uid, gid } = fs.statSync(DEVICE);
    device.mode = (mode & 0o777).toString(8).padStart(4, '0');
    device.owner = nameOf('/etc/passwd', uid);
    device.group = nameOf('/etc/group', gid);
    fs.closeSync(fs.openSync(DEVICE, 'r+'));
    device.canBeOpened = true;
  } catch (error) {
    device.present = error.code !== 'ENOENT';
    device.error = error.code;
  }
  return device;
}

/** What to do for a device that cannot be opened. */
function advice({ present, canBeOpened, error, mode, group }) {
  if (canBeOpened) return null;
  if (!present) {
    const own =
      process.arch === 'arm64'
        ? 'the kernel must have KVM and be started at EL2'
        : 'turn on virtualization in the firmware of the machine and load the kernel module kvm_intel or kvm_amd';
    return (
      `${own}; if it is a virtual machine itself, its host must turn on nested virtualization; a container must be given ` +
      'the device (docker run --device /dev/kvm); see docs/where-it-runs.md'
    );
  }
  if (error === 'EACCES') {
    const forGroup = (Number.parseInt(mode, 8) & 0o060) === 0o060 && group !== 'root';
    const open = forGroup ? '' : 'chgrp kvm /dev/kvm && chmod 660 /dev/kvm && ';
    return `as root: ${open}usermod -aG ${forGroup ? group : 'kvm'} ${user()}; then log in again`;
  }
  if (error === 'EPERM')
    return 'the rules of this container forbid it: give it the device (docker run --device /dev/kvm)';
  return `opening ${DEVICE} fails with ${error}: see the messages of the kernel`;
}

function user() {
  try {
    return os.userInfo().username;
  } catch {
    return 'USER'; // one without an entry in /etc/passwd
  }
}

function nameOf(file, id) {
  const entries = (read(file) ?? '').split('\n').map((line) => line.split(':'));
  return entries.find((entry) => entry[2] === String(id))?.[0] ?? String(id);
}

function processor() {
  const cpus = os.cpus();
  const lines = (read('/proc/cpuinfo') ?? '').split('\n\n')[0].matchAll(/^(?:vmx )?flags\s*:(.*)$/gm);
  const flags = [...lines].flatMap(([, words]) => words.trim().split(' '));
  return {
    model: cpus[0]?.model.trim() ?? null,
    count: os.availableParallelism?.() ?? cpus.length,
    features: flags.length > 0 ? Object.fromEntries(FEATURES.map((name) => [name, flags.includes(name)])) : null,
  };
}

function memory() {
  const availableBytes = process.availableMemory?.() ?? os.freemem();
  return { totalBytes: os.totalmem(), availableBytes, perSandboxBytes: null, sandboxes: null };
}

/** What limits the number of sandboxes of a process; `null` is no limit, or none that can be seen. */
function limits() {
  return {
    openFiles: limit(resourceLimit('Max open files')),
    memoryMaps: limit(read('/proc/sys/vm/max_map_count')),
    lockedMemoryBytes: limit(resourceLimit('Max locked memory')),
    threads: limit(threads()),
  };
}

/** The smallest of the limits of threads: those of the pids cgroup and the ones above it, and that of the user. */
function threads() {
  const found = [];
  // A process of root may have any number.
  if (process.getuid?.() !== 0) found.push(resourceLimit('Max processes'));
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, group] = line.match(/^\d+:([^:]*):(.*)$/) ?? [];
    // Version 2 has one hierarchy for all, without a name.
    const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids';
    if (controllers !== '' && controllers !== 'pids') continue;
    for (let folder = posix.join('/', group); ; folder = posix.join(folder, '..')) {
      found.push(read(posix.join(root, folder, 'pids.max')));
      if (folder === '/') break;
    }
  }
  const numbers = found.map(Number).filter(Number.isFinite);
  return numbers.length > 0 ? String(Math.min(...numbers)) : undefined;
}

/** The soft limit; Node.js raises that of open files to the hard one when it starts. */
function resourceLimit(name) {
  return read('/proc/self/limits')?.match(new RegExp(`^${name} +(\\w+)`, 'm'))?.[1];
}

function limit(text) {
  const number = text === undefined || text === 'unlimited' ? null : Number(text);
  return { limit: number, perSandbox: null, sandboxes: null };
}

/** Runs a handler, then sees what a sandbox takes. */
async function tryOut(report) {
  const sandboxes = [];
  let step;
  const timed = async (name, run) => {
    step = name;
    const start = performance.now();
    const result = await run();
    report.steps.push({ name, milliseconds: Math.round((performance.now() - start) * 1000) / 1000 });
    return result;
  };
  const call = (name, loaded, calls) =>
    timed(name, async () => {
      const answer = await loaded.callHandler('greet', { name: 'World' }, LIMITS);
      const right = { message: 'Hello, World!', calls };
      if (isDeepStrictEqual(answer, right)) return;
      throw new Error(`the handler gave ${JSON.stringify(answer)} instead of ${JSON.stringify(right)}`);
    });
  try {
    const SandboxBuilder = await timed('load module', load);
    report.library.guestImage = SandboxBuilder.guestImage;
    const proto = await timed('build', () => new SandboxBuilder().build());
    const sandbox = await timed('loadRuntime', () => proto.loadRuntime());
    await timed('addHandler', () => sandbox.addHandler('greet', HANDLER));
    const loaded = await timed('getLoadedSandbox', () => sandbox.getLoadedSandbox(LIMITS));
    sandboxes.push(loaded);
    await call('first call', loaded, 1);
    await call('second call', loaded, 2);
    const snapshot = await timed('snapshot', () => loaded.snapshot());
    await timed('restore', () => loaded.restore(snapshot));
    await call('call after restore', loaded, 3);
    report.ok = true;
    await measure(report, SandboxBuilder, sandboxes);
  } catch (error) {
    const message = messages(error).join('\n');
    if (report.ok) report.warning = `no more than ${sandboxes.length} sandboxes could be made: ${message}`;
    else report.failure = { step, code: error?.code ?? null, message };
  }
  for (const sandbox of sandboxes) sandbox.dispose();
}

async function load() {
  const { SandboxBuilder } = require(PACKAGE);
  // The package may load where its native module does not: then this is what is missing, and build() says why.
  if (SandboxBuilder.guestImage === undefined) await new SandboxBuilder().build();
  return SandboxBuilder;
}

/** The messages of an error and of what has caused it, each once. */
function messages(error) {
  const all = new Set();
  for (let cause = error; cause !== undefined && cause !== null && all.size < 20; cause = cause.cause) {
    all.add(String(cause.message ?? cause));
  }
  return [...all];
}

/** Adds to each limit what one sandbox takes of it, and how many sandboxes that allows in a process that does nothing else. */
async function measure({ limits, memory }, SandboxBuilder, sandboxes) {
  const add = async () => {
    const sandbox = await (await new SandboxBuilder().build()).loadRuntime();
    sandbox.addHandler('greet', HANDLER);
    const loaded = await sandbox.getLoadedSandbox(LIMITS);
    sandboxes.push(loaded);
    // From then on its large pages are memory maps of their own.
    (await loaded.snapshot()).dispose();
    await loaded.callHandler('greet', { name: 'World' }, LIMITS);
  };
  await add(); // what the first has made for all that follow is not counted
  const before = usage();
  if (before === undefined) return;
  for (let count = 0; count < MEASURED; count += 1) await add();
  const after = usage();
  // The threads that all sandboxes share come and go meanwhile.
  const round = (name) => (name === 'threads' ? Math.round : Math.ceil);
  const each = (name) => Math.max(0, round(name)((after[name] - before[name]) / MEASURED));
  for (const [name, entry] of Object.entries(limits)) {
    // While it is at work it has a thread of its own.
    entry.perSandbox = each(name) + (name === 'threads' ? 1 : 0);
    const rest = after[name] - sandboxes.length * entry.perSandbox;
    const capped = entry.limit !== null && entry.perSandbox > 0;
    entry.sandboxes = capped ? Math.max(0, Math.floor((entry.limit - rest) / entry.perSandbox)) : null;
  }
  memory.perSandboxBytes = each('residentBytes');
  memory.sandboxes = memory.perSandboxBytes > 0 ? Math.floor(memory.availableBytes / memory.perSandboxBytes) : null;
}

/** What this process uses; `undefined` where the system does not tell. */
function usage() {
  const maps = read('/proc/self/maps');
  const locked = read('/proc/self/status')?.match(/^VmLck:\s*(\d+) kB/m)?.[1];
  if (maps === undefined || locked === undefined) return undefined;
  return {
    openFiles: list('/proc/self/fd').length,
    memoryMaps: maps.split('\n').length,
    lockedMemoryBytes: Number(locked) * 1024,
    threads: list('/proc/self/task').length,
    residentBytes: process.memoryUsage.rss(),
  };
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

module.exports = { examine };
