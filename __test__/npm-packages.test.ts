// npm packages in guests, bundled: each gives Node.js's answer, or docs/npm-packages.md says why not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { bundle } from '@hyperlight/js-host-api/bundle';
import { PROGRAMS } from './npm-programs';

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, 'target', 'npm-packages');
const PAGE = join(ROOT, 'docs', 'npm-packages.md');
const TABLE = /(<!-- made by npm-packages\.test\.ts; UPDATE_PAGES=1 writes it anew -->\n)([\s\S]*?)(\n<!-- end -->)/;
/** What does not work, and why. A package that begins to work fails its test, so that this is removed. */
const KNOWN: Record<string, { failure: RegExp; reason: string }> = {
  'csv-parse': { failure: /Buffer is not defined/, reason: 'there is no `Buffer`' },
};
/** Packages that are to work. */
const GOAL = 36;
const VERSIONS: Record<string, string> = JSON.parse(
  readFileSync(join(__dirname, '..', '..', '__test__', 'npm', 'package.json'), 'utf8'),
).dependencies;
// Where the bundler and the packages are.
process.chdir(FOLDER);
/** What other tests use, and the bundler. */
const NOT_ON_THE_PAGE = ['esbuild', 'preact', 'preact-render-to-string'];
mkdirSync(join(FOLDER, 'programs'), { recursive: true });

const rows = new Map<string, string>();

/** What Node.js gives, with the packages as they are. */
async function answerOfNode(file: string): Promise<string> {
  const program = `import(${JSON.stringify(file)}).then(async ({ handler }) => {
    console.log(JSON.stringify(await handler()));
    process.exit();
  });`;
  const env = { ...process.env, TZ: 'UTC', NODE_ENV: 'production' };
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { env });
  return JSON.parse(stdout);
}

async function answerOfGuest(code: string): Promise<unknown> {
  const sandbox = await (await new SandboxBuilder().build()).loadRuntime();
  sandbox.addHandler('program', code);
  const loaded = await sandbox.getLoadedSandbox({ wallClockTimeoutMs: 60_000 });
  try {
    return await loaded.callHandler('program', {}, { wallClockTimeoutMs: 60_000 });
  } finally {
    loaded.dispose();
  }
}

for (const [name, source] of Object.entries(PROGRAMS)) {
  test(`${name} gives the answer of Node.js`, async () => {
    const entry = join(FOLDER, 'programs', `${name}.mjs`);
    writeFileSync(entry, source);
    let result = 'yes';
    let size = 0;
    try {
      const bundled = await bundle({ entry });
      size = bundled.size;
      assert.deepEqual(await answerOfGuest(bundled.code), await answerOfNode(entry));
      assert.equal(KNOWN[name], undefined, 'it works: it is no longer among those that do not');
    } catch (error) {
      const known = KNOWN[name];
      if (known === undefined || !known.failure.test((error as Error).message)) throw error;
      result = `no: ${known.reason}`;
    }
    const kib = size === 0 ? '' : `${Math.ceil(size / 1024).toLocaleString('en')} KiB`;
    rows.set(name, `| ${name} | ${VERSIONS[name]} | ${kib} | ${result} |`);
  });
}

test('the page has the table', () => {
  assert.equal(Object.keys(PROGRAMS).length, 40);
  assert.deepEqual(
    Object.keys(PROGRAMS).sort(),
    Object.keys(VERSIONS)
      .filter((name) => !NOT_ON_THE_PAGE.includes(name))
      .sort(),
  );
  assert.ok(40 - Object.keys(KNOWN).length >= GOAL);
  const head = ['| Package | Version | Bundle | Node.js’s answer |', '| --- | --- | --- | --- |'];
  const table = [
    ...head,
    ...Object.keys(PROGRAMS)
      .sort()
      .map((name) => rows.get(name)),
  ].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const written = page.replace(TABLE, (_, begin, __, end) => `${begin}${table}${end}`);
  if (process.env.UPDATE_PAGES === '1') writeFileSync(PAGE, written);
  else assert.equal(page, written, 'UPDATE_PAGES=1 writes the table anew');
});
