// Bundles: what they hold, what they leave to the guest, and what they say is missing.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SandboxPool } from '@hyperlight/js-host-api';
import { type BundleOptions, bundle as bundleOfPackage } from '@hyperlight/js-host-api/bundle';
import { runToEnd } from './mounts';

const ROOT = join(__dirname, '..', '..');
const PACKAGES = join(ROOT, 'target', 'npm-packages');
mkdirSync(join(PACKAGES, 'bundles'), { recursive: true });
const folder = mkdtempSync(join(PACKAGES, 'bundles', 'test-'));
after(() => rmSync(folder, { recursive: true }));
// Where the bundler and the packages are.
process.chdir(PACKAGES);
const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

function file(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

const bundle = (source: string, options: Partial<BundleOptions> = {}) =>
  bundleOfPackage({ entry: file('entry.ts', source), ...options });

async function failure(code: string, bundled: Promise<unknown>): Promise<string> {
  const error = await bundled.then(
    () => assert.fail('it was bundled'),
    (error: Error) => error,
  );
  assert.equal((error as Error & { code?: string }).code, code, error.stack);
  return error.message;
}

test('a program is one module with its packages, and says their sizes', async () => {
  const { code, size, packages, imports, warnings, report } = await bundle(
    "import { valid } from 'semver'; import { v5 } from 'uuid'; export const handler = (name: string) => [valid('v1.2.3'), v5(name, v5.DNS)];",
  );
  assert.equal(Buffer.byteLength(code), size);
  assert.deepEqual(packages.map(({ name }) => name).sort(), ['', 'semver', 'uuid']);
  assert.ok(packages.every(({ size }, i) => size > 0 && size <= (packages[i - 1]?.size ?? size)));
  assert.deepEqual([imports, warnings], [[], []]);
  assert.match(report, /KiB {2}in total\n.*KiB {2}(semver|uuid)\n[\s\S]*\(your own files\)/);
  const { value } = await pool.run(code, { input: 'example.org' });
  assert.deepEqual(value, ['1.2.3', 'aad03681-8b63-5304-89e0-8ca8f49461b5']);
});

test('what the guest has is left to it', async () => {
  const data = file('data.json', '{ "a": 1 }');
  const { code, imports } = await bundle(`
    import { createHash } from 'node:crypto'; import data from '${data}';
    const { URL: Url } = require('url');
    import { one } from 'user:m';
    export const handler = () => [createHash('sha256').update('').digest('hex').length, new Url('a:b').href, one, data, process.env.NODE_ENV, typeof global];
  `);
  assert.deepEqual(imports.sort(), ['crypto', 'url', 'user:m']);
  const { value } = await pool.run(code, { modules: { 'user:m': 'export const one = 1' } });
  assert.deepEqual(value, [64, 'a:b', 1, { a: 1 }, 'production', 'object']);
});

test('a package by its name, minified, with a source map, and into a file', async () => {
  const outfile = join(folder, 'out', 'acorn.js');
  const entry = 'acorn';
  const long = await bundleOfPackage({ entry });
  assert.deepEqual(
    long.packages.map(({ name }) => name),
    ['acorn'],
  );
  const { code, size } = await bundleOfPackage({ entry, minify: true, sourcemap: true, outfile });
  assert.equal(readFileSync(outfile, 'utf8'), code);
  assert.match(code, /\n\/\/# sourceMappingURL=data:application\/json;base64,[\w+/=]+\n$/);
  const { size: minified } = await bundleOfPackage({ entry, minify: true });
  assert.ok(minified < long.size && minified < size);
});

test('each module that the guest does not have is named, with its place', async () => {
  const message = await failure(
    'ERR_BUNDLE',
    bundle(
      "import fs from 'node:fs';\nimport { connect } from 'net';\nimport x from './nothing';\nexport const handler = () => [fs, connect, x]",
    ),
  );
  assert.match(message, /entry\.ts:1:\d+: the guest has no module "node:fs" of Node\.js/);
  assert.match(message, /entry\.ts:2:\d+: the guest has no module "net" of Node\.js/);
  assert.match(message, /entry\.ts:3:\d+: Could not resolve "\.\/nothing"/);
  assert.match(await failure('ERR_BUNDLE', bundle('let a = ;')), /entry\.ts:1:\d+: /);
  // Code that is prepared for that runs on without it.
  const { code, imports } = await bundle(
    "let fs; try { fs = require('fs') } catch {} export const handler = () => typeof fs",
  );
  assert.deepEqual(imports, ['fs']);
  assert.equal((await pool.run(code)).value, 'undefined');
});

test('the options are checked', async () => {
  for (const options of [
    undefined,
    {},
    { entry: '' },
    { entry: 1 },
    { entry: 'a', outfile: '' },
    { entry: 'a', minify: 1 },
    { entry: 'a', external: 'b' },
    { entry: 'a', define: { b: 1 } },
    { entry: 'a', what: 1 },
  ]) {
    await failure('ERR_INVALID_ARG', bundleOfPackage(options as never));
  }
});

test('the modules of Node.js that the bundler leaves to the guest are those that it has', async () => {
  const names: string[] = createRequire(__filename)(join(ROOT, 'lib', 'guest-modules.js'));
  const { builtinModules } = await import('node:module');
  const tried = builtinModules.filter((name) => !name.startsWith('_'));
  const source = `const found = [];
    for (const name of input) for (const specifier of [name, 'node:' + name]) await import(specifier).then(() => found.push(specifier), () => {});
    return found;`;
  const { value } = await pool.run(source, { input: tried });
  const expected = tried.filter((name) => names.includes(name)).flatMap((name) => [name, `node:${name}`]);
  assert.deepEqual(value, expected);
  assert.deepEqual(
    names.filter((name) => !tried.includes(name)),
    [],
  );
});

test('the command writes a file and says what is in it', async () => {
  const program = join(ROOT, 'bin', 'hyperlight-js.js');
  const run = (...args: string[]) => runToEnd(process.execPath, [program, 'bundle', ...args], process.env, PACKAGES);
  const outfile = join(folder, 'command.js');
  const entry = file(
    'command.ts',
    "import { valid } from 'semver'; export const handler = (text: string): unknown => valid(text)",
  );
  const done = await run(entry, '-o', outfile, '--minify');
  assert.deepEqual([done.status, done.stderr], [0, '']);
  assert.match(done.stdout, /KiB {2}in total\n.*KiB {2}semver\n/);
  assert.equal((await pool.run(readFileSync(outfile, 'utf8'), { input: 'v1.2.3' })).value, '1.2.3');
  const failed = await run(file('bad.js', "import 'fs'"), '-o', outfile);
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /the guest has no module "fs" of Node\.js/);
  for (const args of [[], [entry], ['-o', outfile], [entry, '-o'], [entry, entry, '-o', outfile], [entry, '--what']]) {
    const { status, stderr } = await run(...args);
    assert.equal(status, 2);
    assert.match(stderr, /Usage: hyperlight-js bundle/);
  }
  assert.match((await run('--help')).stdout, /Usage: hyperlight-js bundle/);
});
