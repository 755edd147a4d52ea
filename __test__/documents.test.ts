// Runs the programs in the README and in docs/, but for the recipes, which have a test of their own.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pages, readPage, testPage } from './pages';

const WITH_PROGRAMS = [
  ...['asynchronous-guests', 'console', 'host-functions', 'interrupting', 'intl'],
  ...['modules', 'pools', 'run', 'snapshots', 'values'],
];

for (const page of ['README.md', 'packages/tools/README.md', ...WITH_PROGRAMS.map((name) => `docs/${name}.md`)])
  testPage(page);
testPage('docs/npm-packages.md', { modules: join(__dirname, '..', 'npm-packages') });

test('the index of the documentation lists every page', () => {
  const firstCells = [...readPage('docs/README.md').matchAll(/^\| (\[.*?) \|/gm)].map(([, cell]) => cell).join();
  const listed = [...firstCells.matchAll(/\]\(([\w/-]+\.md)\)/g)];
  assert.deepEqual(
    listed.map(([, page]) => `docs/${page}`).sort(),
    pages.filter((page) => !page.endsWith('README.md')).sort(),
  );
});
