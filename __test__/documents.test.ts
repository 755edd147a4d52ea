// Runs the programs of the documentation: each block of JavaScript that imports the package. What it prints is in the block of
// text after it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
/** Within the package, so that the programs find it by its name. */
const FOLDER = join(ROOT, 'target', 'documents');
const PAGES = ['README.md', ...pages('docs')];
/** Pages that must have programs. */
const WITH_PROGRAMS = ['README.md', 'docs/asynchronous-guests.md'];

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
for (const page of PAGES) {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const programs = [...text.matchAll(/^```js\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/gms)]
    .map(([, program = '', output]) => ({ program, output }))
    .filter(({ program }) => /^import .* from '@hyperlight\/js-host-api';$/m.test(program));
  if (programs.length === 0 && WITH_PROGRAMS.includes(page)) test(page, () => assert.fail('there is no program'));
  for (const [i, { program, output }] of programs.entries()) {
    test(`${page}: program ${i + 1} prints what the page says`, async () => {
      assert.ok(output, 'after the program there is no block of text with what it prints');
      const file = join(FOLDER, `${page.replaceAll(/\W/g, '-')}-${i + 1}.mjs`);
      writeFileSync(file, program);
      const { stdout, stderr } = await run(process.execPath, [file]);
      assert.equal(stdout, output);
      assert.equal(stderr, '');
    });
  }
}

test('the index of the documentation lists every page', () => {
  const index = readFileSync(join(ROOT, 'docs', 'README.md'), 'utf8');
  const listed = [...index.matchAll(/^\| \[.*?\]\(([\w/-]+\.md)\) \|/gm)].map(([, page]) => `docs/${page}`);
  assert.deepEqual(listed.sort(), PAGES.filter((page) => !page.endsWith('README.md')).sort());
});

function pages(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.md')).map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}
