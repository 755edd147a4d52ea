// Where the addon cannot be loaded, the package still can.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import * as api from '@hyperlight/js-host-api';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const NO_ADDON =
  /^ERR_NO_HYPERVISOR @hyperlight\/js-host-api-(\S+), the package .* is not installed\. .*--omit=optional/;

/** A folder with the package but for its addon. */
function packageWithoutAddon(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'js-host-api-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const inside = join(folder, 'node_modules', '@hyperlight', 'js-host-api');
  mkdirSync(inside, { recursive: true });
  for (const path of ['package.json', 'lib']) cpSync(join(ROOT, path), join(inside, path), { recursive: true });
  return folder;
}

/** What a program prints that has the name `api` for what it has imported or required, on a platform or the real one. */
async function output(program: string, { folder = ROOT, platform = '', arch = '', kind = 'module' } = {}) {
  const load =
    kind === 'module'
      ? "const api = await import('@hyperlight/js-host-api');"
      : "const api = require('@hyperlight/js-host-api');";
  const fake =
    platform && `Object.defineProperties(process, { platform: { value: '${platform}' }, arch: { value: '${arch}' } });`;
  const { stdout } = await run(process.execPath, [`--input-type=${kind}`, '--eval', fake + load + program], {
    cwd: folder,
  });
  return stdout.trim();
}

const BUILD = `
  new api.SandboxBuilder().setHeapSize(1).setScratchSize(1).setInputBufferSize(1).setOutputBufferSize(1)
    .setHostPrintFn(() => {}).build()
    .then(() => console.log('built'), (error) => console.log(error.code, error.message, error instanceof Error));
`;

for (const [platform, arch] of [
  ['darwin', 'x64'],
  ['linux', 'ia32'],
  ['win32', 'arm64'],
  ['freebsd', 'x64'],
] as const) {
  test(`on ${platform}-${arch} build() rejects and names the platform`, async () => {
    for (const kind of ['module', 'commonjs']) {
      assert.equal(
        await output(BUILD, { platform, arch, kind }),
        `ERR_NO_HYPERVISOR @hyperlight/js-host-api does not run on ${platform}-${arch}; ` +
          'there are builds for linux-x64-gnu, linux-x64-musl, linux-arm64-gnu, linux-arm64-musl, darwin-arm64, ' +
          'win32-x64-msvc; see docs/where-it-runs.md true',
      );
    }
  });
}

test('without the package for its platform build() says which and how to install it', async (t) => {
  const folder = packageWithoutAddon(t);
  for (const kind of ['module', 'commonjs']) {
    const [, platform] = (await output(BUILD, { folder, kind })).match(NO_ADDON) ?? [];
    assert.match(platform ?? '', new RegExp(`^${process.platform}-${process.arch}-(gnu|musl|msvc)$`));
  }
  for (const [platform, arch, name] of [
    ['win32', 'x64', 'win32-x64-msvc'],
    ['darwin', 'arm64', 'darwin-arm64'],
    ['linux', 'arm64', /^linux-arm64-(gnu|musl)$/],
  ] as const) {
    const [, other] = (await output(BUILD, { folder, platform, arch })).match(NO_ADDON) ?? [];
    if (typeof name === 'string') assert.equal(other, name);
    else assert.match(other ?? '', name);
  }
});

test('with an addon that cannot be loaded build() says why', async (t) => {
  const folder = packageWithoutAddon(t);
  const inside = join(folder, 'node_modules', '@hyperlight', 'js-host-api');
  const here = `${process.platform}-${process.arch}`;
  for (const platform of [`${here}-gnu`, `${here}-musl`, 'win32-x64-msvc'])
    writeFileSync(join(inside, `js-host-api.${platform}.node`), 'no addon');
  const answer = await output(BUILD, { folder });
  assert.match(answer, /^ERR_NO_HYPERVISOR the native addon for \S+ cannot be loaded; .*js-host-api\.\S+\.node/);
  assert.doesNotMatch(answer, /not installed|does not run on|Windows/);
  const onWindows = await output(BUILD, { folder, platform: 'win32', arch: 'x64' });
  assert.match(
    onWindows,
    /cannot be loaded; turn on the Windows feature "Windows Hypervisor Platform", or install \S+ again/,
  );
});

test('where it cannot tell which C library the system has, build() says why', async () => {
  const denied = "process.report.getReport = () => { throw new Error('denied'); };";
  const fake = "Object.defineProperties(process, { platform: { value: 'linux' }, arch: { value: 'x64' } });";
  const program = `${denied + fake} const api = require('@hyperlight/js-host-api'); ${BUILD}`;
  const { stdout } = await run(process.execPath, ['--eval', program], { cwd: ROOT });
  assert.match(stdout, /^ERR_NO_HYPERVISOR cannot tell whether this system has glibc or musl: denied/);
});

test('NAPI_RS_NATIVE_LIBRARY_PATH names the addon to load', async () => {
  const env = { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: '/there/is/none.node' };
  const program = `const api = require('@hyperlight/js-host-api'); ${BUILD}`;
  const { stdout } = await run(process.execPath, ['--eval', program], { cwd: ROOT, env });
  assert.match(stdout, /^ERR_NO_HYPERVISOR the native addon \/there\/is\/none\.node cannot be loaded: /);
});

test('what stands in for the addon has its names', async (t) => {
  const folder = packageWithoutAddon(t);
  const names = await output(
    `
      const { default: whole, ...classes } = api;
      delete classes['module.exports'];
      const names = Object.entries(classes).map(([name, { prototype, ...statics }]) => [name, typeof classes[name]]);
      const members = Object.getOwnPropertyNames(api.SandboxBuilder.prototype);
      console.log(JSON.stringify({ names, members }));
    `,
    { folder },
  );
  const { names: standIn, members } = JSON.parse(names);
  const real = Object.keys(api).filter((name) => !['default', 'module.exports'].includes(name));
  assert.deepEqual(
    standIn.sort(),
    real.sort().map((name) => [name, name === 'SandboxStatus' ? 'object' : 'function']),
  );
  assert.deepEqual(members.sort(), Object.getOwnPropertyNames(api.SandboxBuilder.prototype).sort());
});

test('whatever else would need the addon fails with the same code', async (t) => {
  const folder = packageWithoutAddon(t);
  const codes = await output(
    `
      const code = async (action) => { try { await action(); } catch (error) { return api.isSandboxError(error) && error.code; } };
      console.log(JSON.stringify([
        await code(() => new api.SandboxPool({ size: 1, prepare() {} })),
        await code(() => new api.JSSandbox()),
        await code(() => api.run('1')),
        await code(() => api.SandboxBuilder.fromSnapshot({})),
        await code(() => api.SandboxBuilder.guestImage),
        await code(() => { const loading = api.Snapshot.load('folder'); return loading; }),
      ]));
    `,
    { folder },
  );
  assert.deepEqual(JSON.parse(codes), Array(6).fill('ERR_NO_HYPERVISOR'));
});
