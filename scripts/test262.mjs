// Runs parts of test262 (https://github.com/tc39/test262) in the guest: `node scripts/test262.mjs CHECKOUT [FOLDER ...]`, each
// folder below `test`, such as `built-ins/RegExp`. The checkout is not part of this repository.
//
// Each script runs in a sandbox as it was after its start, in sloppy and in strict mode. Left out is what asks for more than a
// script with one realm and one agent: modules, other realms, agents, and what the engine has not got.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { SandboxBuilder } = createRequire(import.meta.url)('..');

const [checkout, ...folders] = process.argv.slice(2);
const LEFT_OUT =
  /^(Temporal|ShadowRealm|Intl|cross-realm|host-gc-required|import-|source-phase|tail-call|IsHTMLDDA|Atomics\.pause)/;
const TIME_LIMIT = 60_000;

const HARNESS = Object.fromEntries(
  readdirSync(join(checkout, 'harness'))
    .filter((name) => name.endsWith('.js'))
    // The harness is evaluated, and what it declares must be seen by the test, which is evaluated after it.
    .map((name) => [name, readFileSync(join(checkout, 'harness', name), 'utf8').replace(/^(let|const) /gm, 'var ')]),
);

/** Evaluates a test; runs in the guest. */
function handler({ includes, code, isAsync, negative }) {
  const { eval: evaluate, String: textOf } = globalThis; // so evaluated in the global scope, and not what a test makes of it
  const describe = (thrown) => `${thrown?.constructor?.name}: ${textOf(thrown?.message ?? thrown)}`;
  const { transfer } = ArrayBuffer.prototype;
  globalThis.$262 = {
    global: globalThis,
    evalScript: (source) => evaluate(source),
    detachArrayBuffer: (buffer) => void transfer.call(buffer),
    gc() {},
  };
  const { promise, resolve } = Promise.withResolvers();
  if (isAsync) globalThis.print = (text) => resolve(text === 'Test262:AsyncTestComplete' ? 'passed' : text);
  for (const name of includes) evaluate(HARNESS[name]);
  try {
    evaluate(code);
  } catch (thrown) {
    return negative === thrown?.constructor?.name ? 'passed' : describe(thrown);
  }
  if (negative) return `${negative} was not thrown`;
  return isAsync ? promise : 'passed';
}

function filesIn(path) {
  if (!statSync(join(checkout, path)).isDirectory()) return /(?<!_FIXTURE)\.js$/.test(path) ? [path] : [];
  return readdirSync(join(checkout, path))
    .sort()
    .flatMap((name) => filesIn(join(path, name)));
}

/** The scripts that a file stands for. */
function scriptsOf(file) {
  const source = readFileSync(join(checkout, file), 'utf8');
  const front = /\/\*---(.*?)---\*\//s.exec(source)?.[1] ?? '';
  const list = (key) => {
    const inline = new RegExp(`^${key}:\\s*\\[([^\\]]*)\\]`, 'm').exec(front)?.[1].split(',');
    const lines = new RegExp(`^${key}:\\s*\\n((?:\\s+-.*\\n?)+)`, 'm').exec(front)?.[1].split('\n');
    return (inline ?? lines ?? []).map((item) => item.replace(/^\s*-/, '').trim()).filter(Boolean);
  };
  const [flags, features] = [list('flags'), list('features')];
  const isLeftOut =
    flags.some((flag) => flag === 'module' || flag === 'CanBlockIsTrue') ||
    features.some((feature) => LEFT_OUT.test(feature)) ||
    /\$262\.(createRealm|agent)|testIntl/.test(source);
  if (isLeftOut) return [];
  const isAsync = flags.includes('async');
  const event = {
    includes: flags.includes('raw')
      ? []
      : ['assert.js', 'sta.js', ...(isAsync ? ['doneprintHandle.js'] : []), ...list('includes')],
    code: source,
    isAsync,
    negative: /^negative:[\s\S]*?type:\s*(\w+)/m.exec(front)?.[1] ?? null,
  };
  const sloppy = { file, mode: 'sloppy', event };
  const strict = { file, mode: 'strict', event: { ...event, code: `"use strict";\n${source}` } };
  if (flags.includes('raw') || flags.includes('noStrict')) return [sloppy];
  return flags.includes('onlyStrict') ? [strict] : [sloppy, strict];
}

async function start() {
  const sandbox = await (await new SandboxBuilder().setInputBufferSize(8 << 20).build()).loadRuntime();
  sandbox.addHandler('run', `const HARNESS = ${JSON.stringify(HARNESS)};\nexport ${handler}`);
  const loaded = await sandbox.getLoadedSandbox();
  return { loaded, snapshot: await loaded.snapshot() };
}

async function run({ loaded, snapshot }, event) {
  try {
    await loaded.restore(snapshot);
    return await loaded.callHandler('run', event, { wallClockTimeoutMs: TIME_LIMIT, gc: false });
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

const sandbox = await start();
for (const folder of folders.length > 0 ? folders : ['built-ins', 'language']) {
  let [runs, failures] = [0, 0];
  for (const { file, mode, event } of filesIn(join('test', folder)).flatMap(scriptsOf)) {
    const result = await run(sandbox, event);
    runs++;
    if (result === 'passed') continue;
    failures++;
    console.log(`${file} (${mode}): ${String(result).slice(0, 200)}`);
  }
  console.log(`${folder}: ${runs} runs, ${failures} failed`);
}
