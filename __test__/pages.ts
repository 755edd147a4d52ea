// What the pages of the documentation say can be run, and what it prints.
//
// - A block of JavaScript that imports the package, or one that a page compares it with, is a program; the block of text
//   after it is what it prints.
// - A block whose first line is a comment with the name of a file is that file.
// - A block of shell commands with a block of text after it is run where these files are, and prints that.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
/** Within the package, so that programs find it by its name. */
const FOLDER = join(ROOT, 'target', 'documents');
const BLOCK = /^```(\w+)\n(.*?)^```\n(?=(?:```text\n(.*?)^```\n)?)/gms;
const IMPORTS = /^import .* from '([^']+)';$/gm;
const PACKAGE = '@hyperlight/js-host-api';
const FILE_NAME = /^\/\/ (\S+\.\w+)\n/;

/** A Node.js that runs programs, or why there is none. */
export interface Runner {
  node: string;
  skip?: string;
}

interface PageOptions {
  modules?: string;
  skip?: string;
  others?: Map<string, Runner>;
}

/** All pages, by their paths. */
export const pages = ['README.md', ...pagesIn('docs')];

export const readPage = (page: string) => readFileSync(join(ROOT, page), 'utf8');

/**
 * Registers a test for each program and each commands of a page that print something.
 *
 * Modules that programs import beside the package are those of `modules`, a folder in which they are installed. `others`
 * are the packages that the page compares this one with, and what runs programs with them.
 */
export function testPage(page: string, { modules, skip, others = new Map() }: PageOptions = {}): void {
  const folder = join(modules ?? FOLDER, page.replaceAll(/\W/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = [join(modules ?? ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const options = { cwd: folder, env: { ...process.env, PATH: path } };
  let count = 0;
  for (const [, language, code = '', output] of readPage(page).matchAll(BLOCK)) {
    const name = code.match(FILE_NAME)?.[1];
    if (name) writeFileSync(join(folder, name), code);
    const runner = language === 'js' && !name ? runnerOf(code, others) : undefined;
    const isProgram = runner !== undefined;
    const isCommand = language === 'sh' && output !== undefined;
    if (!isProgram && !isCommand) continue;
    count += 1;
    const file = join(folder, `program-${count}.mjs`);
    if (isProgram) writeFileSync(file, code);
    test(`${page}: ${isProgram ? 'program' : 'commands'} ${count}: it prints what the page says`, {
      skip: skip ?? runner?.skip,
    }, async () => {
      assert.ok(output, 'there is no block of text with what it prints');
      const [program, args] = isProgram ? [runner.node, [file]] : ['sh', ['-ec', code]];
      const { stdout, stderr } = await run(program, args, options);
      assert.equal(stdout, output);
      assert.equal(stderr, '');
    });
  }
  if (count === 0) test(`${page} has programs`, () => assert.fail('there is none'));
}

/** What runs a block of JavaScript, if it is a program. */
function runnerOf(code: string, others: Map<string, Runner>): Runner | undefined {
  const imported = [...code.matchAll(IMPORTS)].map(([, name]) => name);
  if (imported.includes(PACKAGE)) return { node: process.execPath };
  return imported.map((name = '') => others.get(name)).find((runner) => runner !== undefined);
}

function pagesIn(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  const pages = files.map((file) => file.replaceAll('\\', '/')).filter((file) => file.endsWith('.md'));
  // The site that `npm run docs` builds is no source of pages.
  return pages.filter((page) => !page.startsWith('site/')).map((page) => `${folder}/${page}`);
}
