import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HELP } from '../lib/options.js';

test('the README has all options and no others', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const flagsOf = (text) => [...new Set(text.match(/--[a-z][a-z-]+/g))].sort();
  const table = readme.slice(readme.indexOf('## Options'));
  assert.deepEqual(
    flagsOf(table),
    flagsOf(HELP).filter((flag) => flag !== '--help' && flag !== '--version'),
  );
});
