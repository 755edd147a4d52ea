// Compiles the examples of index.d.ts.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as ts from 'typescript';

const ROOT = join(__dirname, '..', '..');
/** Within the package, so that the examples find it by its name. */
const FOLDER = join(ROOT, 'target', 'documents');
const EXAMPLE = /^ *\* @example\n *\* ```ts\n(.*?)^ *\* ```$/gms;
/** What the examples use without making it. */
const GIVEN = `
  builder: api.SandboxBuilder,
  protoSandbox: api.ProtoJSSandbox,
  jsSandbox: api.JSSandbox,
  sandbox: api.LoadedJSSandbox,
  digest: string,
`;

test('the examples of the declarations compile', () => {
  const declarations = readFileSync(join(ROOT, 'index.d.ts'), 'utf8');
  const examples = [...declarations.matchAll(EXAMPLE)].map(([, lines = '']) => lines.replaceAll(/^ *\* ?/gm, ''));
  assert.ok(examples.length > 10, `there are ${examples.length}`);
  assert.equal(examples.length, declarations.split('@example').length - 1, 'each is a block of TypeScript');

  const names = [...declarations.matchAll(/^export declare (?:class|function) (\w+)/gm)].map(([, name]) => name);
  // A scope for what an example declares, within one for what it is given, which it may declare anew.
  const functions = examples.map((example, i) => `async function example${i}(${GIVEN}) {{\n${example}}}\n`);
  const imports = `import * as api from '@hyperlight/js-host-api';\nimport { ${names.join(', ')} } from '@hyperlight/js-host-api';\n`;
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, 'declarations.mts');
  writeFileSync(file, imports + functions.join(''));
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.Node16,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    strict: true,
    noEmit: true,
  });
  const host: ts.FormatDiagnosticsHost = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => FOLDER,
    getNewLine: () => '\n',
  };
  assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
});
