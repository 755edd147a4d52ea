// Holds docs/threat-model.md to its own rules: each promise has a number and names its tests, which there are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(__dirname, '..', '..');
const [promises = '', tests = ''] = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8').split('## The tests\n');

/** The lines of a section of the document, by the word that begins those which are its items. */
function items(section: string, begin: string): string[] {
  const [, rest = ''] = promises.split(`## ${section}\n`);
  const [text = ''] = rest.split('\n## ');
  return text.split('\n').filter((line) => line.startsWith(begin));
}

/** Whether a file has a test of this name. */
function hasTest(file: string, name: string): boolean {
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (file.endsWith('.rs')) return new RegExp(`#\\[test\\]\\s+(#\\[[^\\n]+\\]\\s+)*fn ${name}\\(`).test(source);
  return ["'", '"', '`'].some((quote) => source.includes(`test(${quote}${name}${quote},`));
}

test('every promise of the threat model has a number of its own', () => {
  const can = items('What untrusted code can do', '| ').slice(2);
  const cannot = items('What it cannot do', '- ');
  assert.ok(can.length > 5 && cannot.length > 5);
  for (const line of can) assert.match(line, /^\| P\d+ \| /);
  for (const line of cannot) assert.match(line, /^- \*\*P\d+\*\* /);
  const numbers = numbered(promises);
  assert.equal(new Set(numbers).size, numbers.length);
});

test('every promise of the threat model names its tests, which there are, or says why it has none', () => {
  const sections = tests.split(/^- \*\*(P\d+)\*\*$/m).slice(1);
  assert.deepEqual(
    sections.filter((_, i) => i % 2 === 0),
    numbered(promises).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
  );
  for (let i = 0; i < sections.length; i += 2) {
    const entries = sections[i + 1]?.trim().split(/^ *- /m).slice(1) ?? [];
    assert.ok(entries.length > 0, `${sections[i]} names no test`);
    for (const entry of entries) {
      const [, file, name] = entry.match(/^`(\S+) › (.+)`\s*$/) ?? [];
      if (file && name) assert.ok(hasTest(file, name), `${sections[i]}: there is no ${file} › ${name}`);
      else assert.match(entry, /^Not tested: \S+ /, `${sections[i]}: ${entry}`);
    }
  }
});

/** The numbers of promises in a text, but for those of the rules at its top. */
function numbered(text: string): string[] {
  const [, , body = ''] = text.split(/^(## Who trusts whom)$/m);
  return [...body.matchAll(/\bP\d+\b/g)].map(([number]) => number);
}
