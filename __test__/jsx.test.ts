// Guest code with JSX.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { type SandboxError, SandboxPool } from '@hyperlight/js-host-api';
import { bundle } from '@hyperlight/js-host-api/bundle';
import { JsxEmit, ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { made, WRITTEN } from './jsx-sources';
import { rejection, start } from './sandbox';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

/**
 * What the sources use, the same in the guest and here. What is made of elements says what it was called with. The order of
 * properties is left out: where a literal names one twice, V8 has it where it is named last, not first.
 */
const PARTS = `
const record = (called) => (...values) => ({ called, values });
const React = { createElement: record('createElement'), Fragment: 'Fragment' };
const runtime = { jsx: record('jsx'), jsxs: record('jsxs'), Fragment: 'Fragment' };
const Part = Object.assign(() => {}, { part: 'Part' });
const Item = Object.assign(() => {}, { part: 'Item', Part });
const Box = Object.assign(() => {}, { part: 'Box', Item });
const [box, _under, $dollar, n, list, props] = [Box, 'under', 'dollar', 3, ['x', 'y'], { p: 1, key: 'of props' }];
const show = (value) => {
  if (typeof value === 'function') return 'function ' + value.part;
  if (value === null || typeof value !== 'object') return typeof value + ' ' + String(value);
  if (Array.isArray(value)) return value.map(show);
  return [Object.getPrototypeOf(value) === null, Object.keys(value).sort().map((name) => [name, show(value[name])])];
};
`;
const NAMES = 'React, runtime, Part, Item, Box, box, _under, $dollar, n, list, props, show';

for (const [runtime, prefix, jsx] of [
  ['classic', '', JsxEmit.React],
  ['automatic', '/** @jsxRuntime automatic */ ', JsxEmit.ReactJSX],
] as const) {
  test(`what is made of JSX is what the compiler of TypeScript makes of it, with the ${runtime} runtime`, async () => {
    const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.CommonJS, jsx };
    const sources: string[] = [];
    const expected: string[] = [];
    for (const source of [...WRITTEN, ...made(300)]) {
      const options = { fileName: 'a.tsx', reportDiagnostics: true, compilerOptions };
      const { outputText, diagnostics } = transpileModule(`${prefix}result = ${source};`, options);
      if (diagnostics?.length) continue;
      const script = `(() => {${PARTS}
        const exports = {};
        const require = (name) => ({ react: React, 'react/jsx-runtime': runtime })[name];
        let result;
        ${outputText.replace('"use strict";', '')}
        return JSON.stringify(show(result));
      })()`;
      sources.push(source);
      expected.push(runInNewContext(script));
    }
    assert.ok(sources.length > 390, String(sources.length));
    const modules: Record<string, string> = {
      parts: `${PARTS}\nexport { ${NAMES} };`,
      react: "import { React } from 'parts'; export const { createElement } = React;",
      'react/jsx-runtime': "import { runtime } from 'parts'; export const { jsx, jsxs, Fragment } = runtime;",
    };
    sources.forEach((source, i) => {
      modules[`m${i}.tsx`] =
        `${prefix}import { ${NAMES} } from 'parts';\nexport default JSON.stringify(show(${source}));`;
    });
    const program = `const results = [];
      for (let i = 0; i < input; i++) results.push((await import('m' + i + '.tsx')).default);
      return results;`;
    const options = { modules, input: sources.length, wallClockTimeoutMs: 60_000 };
    const results = (await pool.run(program, options)).value as string[];
    sources.forEach((source, i) => {
      assert.equal(results[i], expected[i], source);
    });
  });
}

test('a program, a handler and a module with JSX', async () => {
  const react = 'export const createElement = (...parts) => parts; export default { createElement };';
  const run = async (source: string, language: 'jsx' | 'tsx' = 'tsx') =>
    (await pool.run(source, { language, input: 1, modules: { react } })).value;
  assert.deepEqual(await run("const React = require('react').default; return <p a={input as number}>b</p>"), [
    'p',
    { a: 1 },
    'b',
  ]);
  assert.deepEqual(await run("import React from 'react'; export default <p/>"), ['p', null]);
  // Not used but by elements, whose functions the comment says.
  assert.deepEqual(
    await run(
      "/** @jsx h\n @jsxFrag f */ import { createElement as h } from 'react'; const f = 1; export default <></>",
    ),
    [1, null],
  );
  assert.deepEqual(await run('/* @jsx make.it */ const make = { it: (...parts) => parts }; return <p/>', 'jsx'), [
    'p',
    null,
  ]);
  const sandbox = await start();
  sandbox.addModule('kit/jsx-runtime', 'export const jsx = (...parts) => parts; export const jsxs = jsx;');
  sandbox.addModule('part.tsx', '/** @jsxImportSource user:kit */ export const part = (n: number) => <i>{n}</i>;');
  const handler = `#!/usr/bin/env node
    /** @jsxImportSource user:kit */
    import { part } from 'user:part.tsx';
    export const handler = (n) => <p key={n + 1}>{part(n)}{"_jsx"}</p>;`;
  sandbox.addHandler('page.jsx', handler);
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('page.jsx', 1), ['p', { children: [['i', { children: 1 }], '_jsx'] }, 2]);
});

test('a first line for a shell may end as any line does', async () => {
  const sandbox = await start();
  sandbox.addModule('kit/jsx-runtime', 'export const jsx = (...parts) => parts;');
  const ends = ['\n', '\r\n', '\r', '\u2028', '\u2029'];
  ends.forEach((end, i) => {
    const source = `#!shell${end}/** @jsxImportSource user:kit */ 'a directive'; export const handler = () => <a b={${i}}/>;`;
    sandbox.addHandler(`${i}.jsx`, source);
  });
  const loaded = await sandbox.getLoadedSandbox();
  for (let i = 0; i < ends.length; i++) assert.deepEqual(await loaded.callHandler(`${i}.jsx`, {}), ['a', { b: i }]);
});

test('errors are in the lines of the source', async () => {
  const source = `const React = { createElement: (...parts) => parts };
export const handler = () => (
  <p a="b"
     {...null}>
    some text {1}
    and {(() => { throw new RangeError('here') })()}
  </p>
);`;
  const sandbox = await start();
  sandbox.addHandler('page.jsx', source);
  const loaded = await sandbox.getLoadedSandbox();
  const error = (await rejection('ERR_GUEST_ERROR', loaded.callHandler('page.jsx', {}))) as SandboxError & {
    guestStack?: string;
  };
  assert.match(error.guestStack ?? '', /^ +at \S+ \(page\.jsx:6:\d+\)/);
  for (const [wrong, line] of [
    ['<p>\n</q>', 2],
    ['<p\na={}/>', 2],
    ['<a/><b/>', 1],
  ] as const) {
    const failure = await rejection('ERR_COMPILE', pool.run(wrong, { language: 'jsx' }));
    assert.equal((failure as SandboxError & { line?: number }).line, line, wrong);
  }
});

test('preact renders a page', async () => {
  const folder = join(__dirname, '..', '..', 'target', 'npm-packages');
  process.chdir(folder);
  const entry = join(folder, 'programs', 'preact-parts.mjs');
  mkdirSync(dirname(entry), { recursive: true });
  writeFileSync(
    entry,
    `export { Fragment, h } from 'preact'; export { jsx, jsxs } from 'preact/jsx-runtime';
      export { useState } from 'preact/hooks'; export { renderToString } from 'preact-render-to-string';`,
  );
  const { code } = await bundle({ entry });
  const page = (pragma: string) => `${pragma}
    import { Fragment, h, renderToString, useState } from 'preact';
    interface Row { name: string; price: number }
    const Cell = ({ children, ...rest }: { children?: unknown; title?: string }) => <td {...rest}>{children}</td>;
    function Table({ rows }: { rows: Row[] }) {
      const [count] = useState(rows.length);
      return (
        <>
          <h1 class="a &amp; b">{count} rows</h1>
          <table>
            {rows.map((row) => <tr key={row.name}><Cell title="&quot;">{row.name}</Cell><Cell>{row.price.toFixed(2)} &euro;</Cell></tr>)}
          </table>
          {count > 5 && <p>many</p>}
        </>
      );
    }
    export default (rows: Row[]) => renderToString(<Table rows={rows}/>);`;
  const modules = {
    preact: code,
    'preact/jsx-runtime': "export { Fragment, jsx, jsxs } from 'preact'",
  };
  const input = [
    { name: 'tea <1>', price: 3 },
    { name: 'cup', price: 7.5 },
  ];
  for (const pragma of ['/** @jsx h */ /** @jsxFrag Fragment */', '/** @jsxImportSource preact */']) {
    const { value } = await pool.run(page(pragma), { language: 'tsx', modules, input });
    assert.equal(
      value,
      '<h1 class="a &amp; b">2 rows</h1><table><tr><td title="&quot;">tea &lt;1></td><td>3.00 €</td></tr>' +
        '<tr><td title="&quot;">cup</td><td>7.50 €</td></tr></table>',
    );
  }
});
