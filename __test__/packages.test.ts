// The packages in packages/, as they would be published.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const BIN = join(ROOT, 'node_modules', '.bin');

const readManifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const { workspaces, version, license } = readManifest(ROOT);

for (const workspace of workspaces.filter((workspace: string) => workspace.startsWith('packages/'))) {
  const folder = join(ROOT, workspace);
  const manifest = readManifest(folder);

  test(`${manifest.name} is packed with its licence, its README and all that it loads`, async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--loglevel=error'], { cwd: folder });
    const [packed] = Object.values<{ files: { path: string }[] }>(JSON.parse(stdout));
    const sources = ['bin', 'lib'].flatMap((name) =>
      manifest.files.includes(name) ? readdirSync(join(folder, name)).map((file) => `${name}/${file}`) : [],
    );
    const expected = ['LICENSE', 'README.md', 'package.json', ...sources];
    assert.deepEqual(packed?.files.map(({ path }) => path).sort(), expected.sort());
    assert.equal(readFileSync(join(folder, 'LICENSE'), 'utf8'), readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
    assert.equal(manifest.license, license);
  });

  test(`${manifest.name} has the version of the project, and depends on its other packages in that version`, () => {
    assert.equal(manifest.version, version);
    for (const [name, range] of Object.entries(manifest.dependencies)) {
      if (name.startsWith('@hyperlight/')) assert.equal(range, version, name);
    }
  });

  test(`publint and attw have nothing to say of ${manifest.name}`, async () => {
    const { stdout } = await run(join(BIN, 'publint'), ['run', '--strict'], { cwd: folder });
    assert.match(stdout, /All good!/);
    if (!manifest.exports) return;
    await run(join(BIN, 'attw'), ['--pack', '--profile', 'esm-only'], { cwd: folder });
  });
}
