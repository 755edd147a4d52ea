// The command line, as users have it: that of the main package, which finds this one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from '../lib/index.js';
import { Artifacts } from './artifacts.js';
import { DockerRegistry } from './docker-registry.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = join(ROOT, 'bin', 'hyperlight-js.js');

function execute(cwd, args, program = PROGRAM) {
  return new Promise((resolve) => {
    const env = { ...process.env, DOCKER_CONFIG: cwd };
    execFile(process.execPath, [program, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

test('the command line', async (t) => {
  const onEnd = (action) => t.after(action);
  const registry = await DockerRegistry.start(onEnd);
  const artifacts = new Artifacts(onEnd);
  const cwd = artifacts.folder;
  mkdirSync(join(cwd, 'double', 'src'), { recursive: true });
  writeFileSync(join(cwd, 'double', 'package.json'), '{ "name": "double", "main": "src/main.ts" }');
  writeFileSync(join(cwd, 'double', 'src', 'main.ts'), 'export default (n: number) => 2 * n;');
  const reference = `${registry.host}/functions/double:1`;

  await t.test('a folder becomes a function, which is pushed and pulled', async () => {
    const bundled = await execute(cwd, ['bundle', 'double', '-o', 'out/double']);
    assert.equal(bundled.status, 0, bundled.stderr);
    assert.match(bundled.stdout, /in total\n(.*\n)*sha256:[0-9a-f]{64}\n$/);
    const digest = bundled.stdout.trim().split('\n').at(-1);
    const { snapshot, source } = await open(join(cwd, 'out', 'double'));
    assert.match(snapshot, /^sha256:/);
    assert.match(source, /2 \* n/);
    const pushed = await execute(cwd, ['push', 'out/double', reference]);
    assert.match(pushed.stdout, new RegExp(`^${reference} is ${digest}; \\d{7,} bytes were sent\n$`));
    const pulled = await execute(cwd, ['pull', reference, 'in']);
    assert.match(pulled.stdout, new RegExp(`^in has ${digest}; \\d{7,} bytes were received\n$`));
    assert.deepEqual(await open(join(cwd, 'in')), { digest, snapshot, source });
  });

  await t.test(
    'a folder is replaced by another function, and by nothing that fails, and nothing else is replaced',
    async () => {
      const again = await execute(cwd, ['bundle', 'double/src/main.ts', '-o', 'out/double', '--no-snapshot']);
      assert.equal(again.status, 0, again.stderr);
      const { snapshot, digest } = await open(join(cwd, 'out', 'double'));
      assert.equal(snapshot, undefined);
      writeFileSync(join(cwd, 'throws.js'), "throw new RangeError('at once'); export default () => 1;");
      const failed = await execute(cwd, ['bundle', 'throws.js', '-o', 'out/double']);
      assert.equal(failed.status, 1);
      assert.match(failed.stderr, /at once/);
      assert.equal((await open(join(cwd, 'out', 'double'))).digest, digest);
      const other = await execute(cwd, ['bundle', 'double', '-o', 'double/']);
      assert.equal(other.status, 2);
      assert.match(other.stderr, /something else in it than a function/);
      assert.ok(existsSync(join(cwd, 'double', 'package.json')));
    },
  );

  await t.test('a file stays a file', async () => {
    const { status, stdout } = await execute(cwd, ['bundle', './double', '-o', 'out/double.js']);
    assert.deepEqual([status, stdout.includes('sha256')], [0, false]);
    assert.ok(existsSync(join(cwd, 'out', 'double.js')));
    assert.equal((await execute(cwd, ['bundle', './double', '-o', 'out/x.js', '--no-snapshot'])).status, 1);
  });

  await t.test('what goes wrong has a code and an exit status', async () => {
    const all = [
      [['pull', `${registry.host}/none:1`, 'none'], 1, /ERR_FUNCTION_NOT_FOUND: /],
      [['push', 'out/double', '0.0.0.0:1/x:1'], 1, /ERR_REGISTRY|ERR_PLAIN_HTTP/],
      [['push', 'out/double', 'http://0.0.0.0:1/x:1'], 1, /ERR_PLAIN_HTTP: .*--plain-http/],
      [['push', 'out/double', 'x'], 2, /ERR_INVALID_ARG: /],
      [['push', 'out/double'], 2, /it takes 2 names/],
      [['pull', '--what'], 2, /--what/],
    ];
    const ends = await Promise.all(all.map(([args]) => execute(cwd, args)));
    for (const [i, [, status, message]] of all.entries()) {
      assert.equal(ends[i].status, status, ends[i].stderr);
      assert.match(ends[i].stderr, message);
    }
    assert.match((await execute(cwd, ['push', '--help'])).stdout, /^Usage: hyperlight-js push /);
  });
});

test('without the package the command line says what to install', async (t) => {
  const artifacts = new Artifacts((action) => t.after(action));
  // Outside the project, where nothing is found.
  const alone = join('/tmp', `hyperlight-alone-${process.pid}`);
  t.after(() => import('node:fs').then(({ rmSync }) => rmSync(alone, { recursive: true })));
  for (const name of ['bin', 'lib', 'package.json']) cpSync(join(ROOT, name), join(alone, name), { recursive: true });
  const program = join(alone, 'bin', 'hyperlight-js.js');
  for (const [args, name] of [
    [['push', artifacts.folder, 'x/y:1'], '@hyperlight/oci'],
    [['bundle', 'x.js', '-o', 'out/'], '@hyperlight/oci'],
    [['worker'], '@hyperlight/bullmq'],
  ]) {
    const { status, stderr } = await execute(alone, args, program);
    const expected = `hyperlight-js ${args[0]} needs ${name}, which is not installed: npm install ${name}\n`;
    assert.deepEqual([status, stderr], [1, expected]);
  }
});
