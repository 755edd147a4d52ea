// test262 (https://github.com/tc39/test262): each script in sloppy and in strict mode, and modules. Left out is what asks for
// more than one realm or one agent, and proposals that the engine has not got.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';

const { SandboxBuilder, SandboxPool } = createRequire(import.meta.url)('../..');

export const NAME = 'test262';
/** What is in a checkout. */
export const MARK = 'harness/sta.js';
export const FOLDERS = ['annexB', 'built-ins', 'intl402', 'language'];

const LEFT_OUT =
  /^(Intl\.DurationFormat|ShadowRealm|await-dictionary|decorators|legacy-regexp|cross-realm|host-gc-required|import-(bytes|defer|text)|source-phase|tail-call|IsHTMLDDA|Atomics\.(pause|waitAsync))/;
const TIME_LIMIT = 60_000;

/** Evaluates a test; runs in the guest. `load` imports the module that a test is, if it is one. */
function handler({ harness, code, isAsync, negative, module }, load) {
  const { eval: evaluate, String: textOf } = globalThis; // so evaluated in the global scope, and not what a test makes of it
  const describe = (thrown) => `${thrown?.constructor?.name}: ${textOf(thrown?.message ?? thrown)}`;
  const failed = (thrown) => (negative === thrown?.constructor?.name ? 'passed' : describe(thrown));
  const { transfer } = ArrayBuffer.prototype;
  globalThis.$262 = {
    global: globalThis,
    evalScript: (source) => evaluate(source),
    detachArrayBuffer: (buffer) => void transfer.call(buffer),
    gc() {},
  };
  const { promise, resolve } = Promise.withResolvers();
  if (isAsync) globalThis.print = (text) => resolve(text === 'Test262:AsyncTestComplete' ? 'passed' : text);
  for (const text of harness) evaluate(text);
  const ended = () => (negative ? `${negative} was not thrown` : isAsync ? promise : 'passed');
  if (module) return load(module).then(ended, failed);
  try {
    evaluate(code);
  } catch (thrown) {
    return failed(thrown);
  }
  return ended();
}

function filesIn(checkout, path) {
  if (!statSync(join(checkout, 'test', path)).isDirectory()) return /(?<!_FIXTURE)\.js$/.test(path) ? [path] : [];
  return readdirSync(join(checkout, 'test', path))
    .sort()
    .flatMap((name) => filesIn(checkout, join(path, name)));
}

/** The files that a source names, and those that these name, by specifiers that `nameOf` gives them. */
function modulesOf(checkout, file, nameOf, modules = {}) {
  const source = readFileSync(join(checkout, 'test', file), 'utf8');
  modules[nameOf(file)] = source;
  for (const [, , named] of source.matchAll(/(['"`])(\.\.?\/[^'"`\n]+)\1/g)) {
    const path = normalize(join(dirname(file), named));
    const isNew = !(nameOf(path) in modules) && existsSync(join(checkout, 'test', path));
    if (isNew && /\.js(on)?$/.test(path)) modulesOf(checkout, path, nameOf, modules);
  }
  return modules;
}

/** The programs that a file stands for: an event for each, and modules that it needs. */
function programsOf(checkout, harness, file) {
  const source = readFileSync(join(checkout, 'test', file), 'utf8');
  const front = /\/\*---(.*?)---\*\//s.exec(source)?.[1] ?? '';
  const list = (key) => {
    const inline = new RegExp(`^${key}:\\s*\\[([^\\]]*)\\]`, 'm').exec(front)?.[1].split(',');
    const lines = new RegExp(`^${key}:\\s*\\n((?:\\s+-.*\\n?)+)`, 'm').exec(front)?.[1].split('\n');
    return (inline ?? lines ?? []).map((item) => item.replace(/^\s*-/, '').trim()).filter(Boolean);
  };
  const [flags, features] = [list('flags'), list('features')];
  const isLeftOut =
    flags.includes('CanBlockIsTrue') ||
    features.some((feature) => LEFT_OUT.test(feature)) ||
    /\$262\.(createRealm|agent|AbstractModuleSource)/.test(source);
  if (isLeftOut) return [];
  const isAsync = flags.includes('async');
  const names = ['assert.js', 'sta.js', ...(isAsync ? ['doneprintHandle.js'] : []), ...list('includes')];
  const event = {
    harness: flags.includes('raw') ? [] : names.map((name) => harness[name]),
    code: source,
    isAsync,
    negative: /^negative:[\s\S]*?type:\s*(\w+)/m.exec(front)?.[1] ?? null,
  };
  if (flags.includes('module')) {
    const nameOf = (path) => `suite:${path}`;
    const modules = modulesOf(checkout, file, nameOf);
    return [{ name: 'module', event: { ...event, code: '', module: nameOf(file) }, modules }];
  }
  // What is evaluated has no name, so that "./" means the names that begin with nothing.
  const nameInScript = (path) => relative(dirname(file), path);
  const modules = /\bimport\b/.test(source) ? modulesOf(checkout, file, nameInScript) : null;
  const sloppy = { name: 'sloppy', event, modules };
  const strict = { name: 'strict', event: { ...event, code: `"use strict";\n${source}` }, modules };
  if (flags.includes('raw') || flags.includes('noStrict')) return [sloppy];
  return flags.includes('onlyStrict') ? [strict] : [sloppy, strict];
}

/** What evaluates scripts. */
async function scripts() {
  const sandbox = await (await new SandboxBuilder().setInputBufferSize(8 << 20).build()).loadRuntime();
  sandbox.addHandler('run', `export ${handler}`);
  const loaded = await sandbox.getLoadedSandbox();
  const pool = new SandboxPool({ size: 2, snapshot: await loaded.snapshot() });
  return (event) => pool.callHandler('run', event, { wallClockTimeoutMs: TIME_LIMIT, gc: false });
}

/** What evaluates tests that import modules. */
function programs() {
  const pool = new SandboxPool({ size: 2 });
  const source = `${handler}\nreturn handler(input, (specifier) => import(specifier));`;
  return async (event, modules) => {
    const { value } = await pool.run(source, { input: event, modules, wallClockTimeoutMs: TIME_LIMIT, gc: false });
    return value;
  };
}

/** A checkout whose files can be run: each gives results with the name of a mode, and the failure if there was one. */
export async function open(checkout) {
  const harness = Object.fromEntries(
    readdirSync(join(checkout, 'harness'))
      .filter((name) => name.endsWith('.js'))
      // The harness is evaluated, and what it declares must be seen by the test, which is evaluated after it.
      .map((name) => [name, readFileSync(join(checkout, 'harness', name), 'utf8').replace(/^(let|const) /gm, 'var ')]),
  );
  const runScript = await scripts();
  const runProgram = programs();
  return {
    filesIn: (path) => filesIn(checkout, path),
    async run(file) {
      const results = [];
      for (const { name, event, modules } of programsOf(checkout, harness, file)) {
        const result = await (modules ? runProgram(event, modules) : runScript(event)).catch(
          (error) => `${error.code}: ${error.message}`,
        );
        results.push({ name, failure: result === 'passed' ? null : String(result) });
      }
      return results;
    },
  };
}
