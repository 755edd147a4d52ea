import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { closedDevice, runAfter, UNPRIVILEGED } from './mounts';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const BUILD = `
  const { SandboxBuilder } = require('@hyperlight/js-host-api');
  new SandboxBuilder().build().then(
    () => console.log('built'),
    (error) => console.log(error instanceof Error, error.code, error.message),
  );
`;

/** Builds a sandbox after a shell command that changes what is mounted. */
async function buildAfter(mount: string, ...launcher: string[]): Promise<string> {
  const { status, stdout, stderr } = await runAfter(mount, ...launcher, process.execPath, '-e', BUILD);
  assert.equal(status, 0, stderr);
  return stdout;
}

test('without /dev/kvm build() says that it is missing and what to do', async () => {
  const answer = await buildAfter('mount -t tmpfs none /dev');
  assert.match(answer, /^true ERR_NO_HYPERVISOR .*no \/dev\/kvm/);
  assert.match(answer, /virtualization/);
});

test('without permission to open /dev/kvm build() says so and what to do', async (t) => {
  const answer = await buildAfter(closedDevice(t), ...UNPRIVILEGED);
  assert.match(answer, /^true ERR_NO_HYPERVISOR .*may not open \/dev\/kvm/);
  assert.match(answer, /group/);
});

test('a /dev/kvm that is no hypervisor is not taken for one', async () => {
  const answer = await buildAfter('mount --bind /dev/null /dev/kvm');
  assert.match(answer, /^true ERR_NO_HYPERVISOR /);
});

test('without /dev/kvm run() says so each time', async () => {
  const program = `
    const { run } = require('@hyperlight/js-host-api');
    const code = () => run('1').then(() => 'run', (error) => error.code);
    (async () => console.log(await code(), await code()))();
  `;
  const { status, stdout, stderr } = await runAfter('mount -t tmpfs none /dev', process.execPath, '-e', program);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'ERR_NO_HYPERVISOR ERR_NO_HYPERVISOR\n');
});

test('without /dev/kvm a snapshot is not loaded, and it is not the snapshot that is to blame', async () => {
  const load = `
    require('@hyperlight/js-host-api').Snapshot.load('there is none').then(
      () => console.log('loaded'),
      (error) => console.log(error instanceof Error, error.code, error.message),
    );
  `;
  const mount = 'mount -t tmpfs none /dev';
  const { status, stdout, stderr } = await runAfter(mount, process.execPath, '-e', load);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^true ERR_NO_HYPERVISOR .*no \/dev\/kvm/);
});

test('a machine out of resources is an internal error, and the sandboxes that it has go on', async () => {
  const program = `
    const { load } = require(${JSON.stringify(join(__dirname, 'sandbox.js'))});
    (async () => {
      const { SandboxBuilder } = require('@hyperlight/js-host-api');
      const protos = await Promise.all(Array.from({ length: 60 }, () => new SandboxBuilder().build()));
      const loaded = await load({ f: 'function handler(event) { return event; }' });
      const sandboxes = [];
      for (const proto of protos) {
        const error = await proto.loadRuntime().then((sandbox) => void sandboxes.push(sandbox), (error) => error);
        if (error) {
          console.log(error.code, await loaded.callHandler('f', 'still here'));
          break;
        }
      }
    })();
  `;
  // Each virtual machine has file descriptors of its own.
  const { stdout } = await run('sh', ['-c', 'ulimit -n 60 && exec "$@"', 'sh', process.execPath, '-e', program], {
    cwd: ROOT,
  });
  assert.equal(stdout, 'ERR_INTERNAL still here\n');
});
