import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { format, inspect } from 'node:util';
import type { LoadedJSSandbox } from '@hyperlight/js-host-api';
import { CLASSES, FORMATS, OPTIONS, VALUES } from './inspected';
import { load } from './sandbox';

let guest: LoadedJSSandbox;

before(async () => {
  guest = await load({
    f: `
      import { format, inspect } from 'util';
      function handler({ classes, cases }) {
        return cases.map(({ value, options, values }) => {
          const made = (text) => new Function('inspect', 'format', classes + 'return (' + text + ')')(inspect, format);
          return values === undefined ? inspect(made(value), made(options ?? 'undefined')) : made('format(' + values + ')');
        });
      }
    `,
  });
});

after(() => guest.dispose());

const made = (text: string): unknown =>
  new Function('inspect', 'format', `${CLASSES} return (${text})`)(inspect, format);

/** Frames tell places in sources, which are others; from Node.js 24 on, names of symbols and hidden properties have other brackets. */
function comparable(text: string): string {
  const withoutFrames = text.replaceAll(
    /\n\s+(?:at .*?|\.\.\. .* lines matching cause stack trace \.\.\.)(?=,?$| \{$|\]$)/gm,
    ' @',
  );
  const withoutRuns = withoutFrames.replaceAll(/( @)+/g, ' @');
  // The test runner follows promises, and leaves its marks on them.
  if (text.startsWith('Promise') || text.startsWith('MyPromise')) {
    return withoutRuns.replaceAll(/,\s+\[?Symbol\((?:trigger_)?async_id_symbol\)\]?: \d+/g, '').replaceAll(/\s+/g, ' ');
  }
  if (Number.parseInt(process.versions.node, 10) < 24) return withoutRuns;
  return (
    withoutRuns
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colors are made of them
      .replaceAll(/\[((?:\u001b\[32m)?Symbol\([^)]*\)(?:\u001b\[39m)?)\]:/g, '$1:')
      .replaceAll(/\[(byteLength|byteOffset|buffer)\]:/g, '$1:')
      .replaceAll(/\s+/g, ' ')
  );
}

/** Compares what the guest makes of cases with what Node.js makes of them. */
async function compare(cases: object[], expected: string[], names: string[]): Promise<void> {
  const found = (await guest.callHandler('f', { classes: CLASSES, cases })) as string[];
  const different = names.filter((_, i) => comparable(found[i] ?? '') !== comparable(expected[i] ?? ''));
  const shown = different.map((name) => {
    const i = names.indexOf(name);
    return `${name}\nin the guest: ${comparable(found[i] ?? '')}\nin Node.js:   ${comparable(expected[i] ?? '')}`;
  });
  assert.equal(different.length, 0, shown.join('\n\n'));
  assert.equal(found.length, names.length);
}

test('values are shown as Node.js shows them', async () => {
  assert.ok(VALUES.length >= 300);
  await compare(
    VALUES.map((value) => ({ value })),
    VALUES.map((value) => inspect(made(value))),
    VALUES,
  );
});

test('with options as well', async () => {
  await compare(
    OPTIONS.map(([value, options]) => ({ value, options })),
    OPTIONS.map(([value, options]) => inspect(made(value), made(options) as object)),
    OPTIONS.map((both) => both.join(' with ')),
  );
});

test('lines with placeholders are those of Node.js', async () => {
  await compare(
    FORMATS.map((values) => ({ values })),
    FORMATS.map((values) => made(`format(${values})`) as string),
    FORMATS,
  );
});
