import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const GREETING = "{ name: 'World', message: 'Hello, World!' }\n";

test('the example of the README runs as an ES module and prints its greeting', async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, 'examples', 'simple.js')]);
  assert.equal(stdout, GREETING);
});

test('the same works through require', async () => {
  const program = `
    const { SandboxBuilder } = require('@hyperlight/js-host-api');
    (async () => {
      const proto = await new SandboxBuilder().build();
      const sandbox = await proto.loadRuntime();
      sandbox.addHandler('greet', "function handler(event) { event.message = 'Hello, ' + event.name + '!'; return event; }");
      const loaded = await sandbox.getLoadedSandbox();
      console.log(await loaded.callHandler('greet', { name: 'World' }));
    })();
  `;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: ROOT });
  assert.equal(stdout, GREETING);
});

test('import and require give the same names', async () => {
  const esm = await import('@hyperlight/js-host-api');
  const commonjs = require('@hyperlight/js-host-api');
  for (const name of [
    'SandboxBuilder',
    'ProtoJSSandbox',
    'HostModule',
    'JSSandbox',
    'LoadedJSSandbox',
    'InterruptHandle',
    'Snapshot',
  ] as const) {
    assert.equal(typeof esm[name], 'function', name);
    assert.equal(esm[name], commonjs[name], name);
  }
});
