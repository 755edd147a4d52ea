import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { closedDevice, type Ended, NOBODY_IN_GROUP, ONLY_KVM, runAfter, runToEnd, UNPRIVILEGED } from './mounts';

const ROOT = join(__dirname, '..', '..');
const PROGRAM = join(ROOT, 'bin', 'hyperlight-js.js');
const STEPS = [
  'load module',
  'build',
  'loadRuntime',
  'addHandler',
  'getLoadedSandbox',
  'first call',
  'second call',
  'snapshot',
  'restore',
  'call after restore',
];

function run(...args: string[]): Promise<Ended> {
  return runToEnd(process.execPath, [PROGRAM, ...args]);
}

/** Runs it with a limit of open files. */
function runWithFiles(count: number, ...program: string[]): Promise<Ended> {
  return runToEnd('sh', ['-c', `ulimit -n ${count} && exec "$@"`, 'sh', process.execPath, ...program]);
}

/** Keys of an object that holds objects, as paths. */
function paths(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) && prefix === ''
      ? paths(inner, `${key}.`)
      : [prefix + key],
  );
}

test('the doctor says that sandboxes work here, and how long each step took', async () => {
  const { status, stdout, stderr } = await run('doctor');
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^Sandboxes work here\.$/m);
  for (const step of STEPS) assert.match(stdout, new RegExp(`^${step} +\\d+\\.\\d{3} ms$`, 'm'));
  assert.match(
    stdout,
    new RegExp(`^guest image +${SandboxBuilder.guestImage.version}, SHA-256 ${SandboxBuilder.guestImage.hash}$`, 'm'),
  );
  assert.match(stdout, /^hypervisor +\/dev\/kvm can be opened; 0\d{3} \w+:\w+$/m);
  assert.match(stdout, /^open files +\d+; \d+ a sandbox, enough for \d+$/m);
  assert.match(stdout, /^memory maps +\d+; \d+ a sandbox, enough for \d+$/m);
  assert.match(stdout, /^threads +(no limit|\d+); [12] a sandbox, enough for (any number|\d+)$/m);
  assert.match(stdout, /^locked memory +(no limit|\d+ bytes); 0 bytes a sandbox, enough for any number$/m);
});

test('as JSON it has the keys that its page explains, and no others', async () => {
  const { status, stdout, stderr } = await run('doctor', '--json');
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
  const report = JSON.parse(stdout);
  const table = readFileSync(join(ROOT, 'docs', 'doctor.md'), 'utf8').match(/^\| Key \| Type \|.*?\n\n/ms)?.[0] ?? '';
  const keys = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => cell?.match(/[\w.]+/g) ?? []);
  assert.deepEqual(paths(report).sort(), keys.sort());

  assert.equal(report.ok, true);
  assert.equal(report.failure, null);
  assert.equal(report.warning, null);
  assert.deepEqual(report.library.guestImage, SandboxBuilder.guestImage);
  assert.equal(report.library.version, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
  assert.equal(report.node.version, process.versions.node);
  assert.equal(report.hypervisor.device.canBeOpened, true);
  assert.equal(report.hypervisor.advice, null);
  assert.deepEqual(
    report.steps.map(({ name }: { name: string }) => name),
    STEPS,
  );
  for (const { milliseconds } of report.steps) assert.ok(milliseconds > 0);
  assert.ok(report.memory.perSandboxBytes > 0 && report.memory.sandboxes > 0, stdout);
});

test('without /dev/kvm it fails and says what to do, and all else that it knows', async () => {
  const text = await runAfter('mount -t tmpfs none /dev', process.execPath, PROGRAM, 'doctor');
  assert.equal(text.status, 1, text.stdout);
  assert.match(text.stdout, /^hypervisor +there is no \/dev\/kvm$/m);
  assert.match(text.stdout, /^build +failed$/m);
  assert.match(text.stdout, /^Sandboxes do not work here: ERR_NO_HYPERVISOR: /m);
  assert.match(
    text.stdout,
    process.arch === 'arm64' ? /^What to do: .* EL2;/m : /^What to do: turn on virtualization /m,
  );
  assert.match(text.stdout, /^processor /m);

  const json = await runAfter('mount -t tmpfs none /dev', process.execPath, PROGRAM, 'doctor', '--json');
  assert.equal(json.status, 1, json.stdout);
  const { ok, failure, hypervisor, steps } = JSON.parse(json.stdout);
  assert.equal(ok, false);
  assert.equal(failure.step, 'build');
  assert.equal(failure.code, 'ERR_NO_HYPERVISOR');
  assert.equal(hypervisor.device.present, false);
  assert.match(hypervisor.advice, process.arch === 'arm64' ? /have KVM and be started at EL2/ : /kvm_intel or kvm_amd/);
  assert.equal(steps.length, 1);
});

test('on macOS it says whether Node.js may use the hypervisor, and how to sign it', async (t) => {
  // Another platform, and what shows a signature there.
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'mac.cjs'),
    "Object.defineProperties(process, { platform: { value: 'darwin' }, arch: { value: 'arm64' } });",
  );
  const report = async (entitlements: string) => {
    const codesign = `#!/bin/sh\n[ "$*" = "--display --entitlements - --xml ${process.execPath}" ] && echo '${entitlements}'\n`;
    writeFileSync(join(folder, 'codesign'), codesign, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const args = ['--require', join(folder, 'mac.cjs'), PROGRAM, 'doctor', '--json'];
    return JSON.parse((await runToEnd(process.execPath, args, env)).stdout).hypervisor;
  };
  const not = await report('<key>com.apple.security.cs.allow-jit</key>');
  assert.equal(not.entitled, false);
  assert.match(not.advice, /^codesign --sign - --force --entitlements \S+lib\/hypervisor\.entitlements /);
  assert.ok(existsSync(not.advice.match(/\S+\.entitlements/)?.[0] ?? ''));
  const { entitled, advice } = await report('<key>com.apple.security.hypervisor</key><true/>');
  assert.deepEqual([entitled, advice], [true, null]);
});

test('without permission to open /dev/kvm it fails and says how to get it', async (t) => {
  const program = [...UNPRIVILEGED, process.execPath, PROGRAM, 'doctor'];
  const device = closedDevice(t);
  const { status, stdout } = await runAfter(device, ...program);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^hypervisor +\/dev\/kvm cannot be opened \(EACCES\); 0000 /m);
  assert.match(stdout, /^What to do: as root: chgrp kvm \/dev\/kvm && chmod 660 \/dev\/kvm && usermod -aG kvm \w+;/m);

  // Its owner may not open it, but the group 1 may.
  const open = `${device} && chmod 060 /dev/kvm && chgrp 1 /dev/kvm`;
  if (process.getuid?.() !== 0) return t.diagnostic('only root can give a file to a group');
  const group = await runAfter(open, ...program);
  assert.equal(group.status, 1, group.stdout);
  assert.match(group.stdout, /^What to do: as root: usermod -aG (?!root)\w+ \w+; then log in again$/m);
});

test('sandboxes work with no device but /dev/kvm and no privilege but a group, as in a container', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can make a device and become somebody else');
  const [setpriv = '', ...options] = NOBODY_IN_GROUP;
  const readable = await runToEnd(setpriv, [...options, 'test', '-r', PROGRAM]);
  if (readable.status !== 0) return t.skip('only root can read the folder of this project');
  const { status, stdout } = await runAfter(ONLY_KVM, ...NOBODY_IN_GROUP, process.execPath, PROGRAM, 'doctor');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^hypervisor +\/dev\/kvm can be opened; 0660 /m);
  assert.match(stdout, /^Sandboxes work here\.$/m);
});

test('when the native module cannot be loaded it says why, and all else that it knows', async () => {
  // A path at which the loader of the module looks, and nowhere else.
  const env = { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: '/there/is/none.node' };
  const { status, stdout, stderr } = await runToEnd(process.execPath, [PROGRAM, 'doctor'], env);
  assert.equal(stderr, '');
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^load module +failed$/m);
  assert.match(stdout, /^Sandboxes do not work here: .*\/there\/is\/none\.node/ms);
  assert.match(stdout, /^hypervisor +\/dev\/kvm can be opened/m);
  assert.match(stdout, /^open files +\d+$/m);
});

test('the number of sandboxes that the open files allow is the number that can be made', async () => {
  const doctor = await runWithFiles(80, PROGRAM, 'doctor', '--json');
  const { limits } = JSON.parse(doctor.stdout);
  assert.equal(limits.openFiles.limit, 80);
  const program = `
    const { SandboxBuilder } = require('@hyperlight/js-host-api');
    (async () => {
      const sandboxes = [];
      try {
        for (;;) sandboxes.push(await (await new SandboxBuilder().build()).loadRuntime());
      } catch {}
      console.log(sandboxes.length);
    })();
  `;
  const { stdout } = await runWithFiles(80, '-e', program);
  // build() opens /dev/kvm for a moment, and a file more or less may be open.
  assert.ok(Math.abs(limits.openFiles.sandboxes - Number(stdout)) <= 2, `${limits.openFiles.sandboxes} and ${stdout}`);
});

test('too few open files for ten sandboxes are worth a warning', async () => {
  const { status, stdout } = await runWithFiles(34, PROGRAM, 'doctor');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^But no more than \d sandboxes could be made: /m);
});

test('arguments that are not understood end with 2 and the usage', async () => {
  for (const args of [[], ['nurse'], ['doctor', '--jsn'], ['doctor', 'now'], ['--json', 'doctor']]) {
    const { status, stdout, stderr } = await run(...args);
    assert.equal(status, 2, `${args}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^hyperlight-js: (a command is missing|unknown argument: \S+)\n\nUsage: /);
  }
});

test('--help gives the usage', async () => {
  for (const args of [['--help'], ['-h'], ['doctor', '--help']]) {
    const { status, stdout, stderr } = await run(...args);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: hyperlight-js doctor/);
    assert.equal(stderr, '');
  }
});

test('--version gives the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const option of ['--version', '-v'])
    assert.deepEqual(await run(option), { status: 0, stdout: `${version}\n`, stderr: '' });
});
