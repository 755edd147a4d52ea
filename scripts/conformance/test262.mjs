// test262 (https://github.com/tc39/test262): each script in sloppy and in strict mode. Left out is what asks for more than a
// script with one realm and one agent: modules, other realms, agents, and what the engine has not got.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { SandboxBuilder } = createRequire(import.meta.url)('../..');

export const NAME = 'test262';
/** What is in a checkout. */
export const MARK = 'harness/sta.js';
export const FOLDERS = ['built-ins', 'language'];

const LEFT_OUT =
  /^(Temporal|ShadowRealm|Intl|cross-realm|host-gc-required|import-|source-phase|tail-call|IsHTMLDDA|Atomics\.pause)/;
const TIME_LIMIT = 60_000;

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

function filesIn(checkout, path) {
  if (!statSync(join(checkout, 'test', path)).isDirectory()) return /(?<!_FIXTURE)\.js$/.test(path) ? [path] : [];
  return readdirSync(join(checkout, 'test', path))
    .sort()
    .flatMap((name) => filesIn(checkout, join(path, name)));
}

/** The scripts that a file stands for. */
function scriptsOf(checkout, file) {
  const source = readFileSync(join(checkout, 'test', file), 'utf8');
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
  const sloppy = { name: 'sloppy', event };
  const strict = { name: 'strict', event: { ...event, code: `"use strict";\n${source}` } };
  if (flags.includes('raw') || flags.includes('noStrict')) return [sloppy];
  return flags.includes('onlyStrict') ? [strict] : [sloppy, strict];
}

async function start(harness) {
  const sandbox = await (await new SandboxBuilder().setInputBufferSize(8 << 20).build()).loadRuntime();
  sandbox.addHandler('run', `const HARNESS = ${JSON.stringify(harness)};\nexport ${handler}`);
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

/** A checkout whose files can be run: each gives results with the name of a mode, and the failure if there was one. */
export async function open(checkout) {
  const harness = Object.fromEntries(
    readdirSync(join(checkout, 'harness'))
      .filter((name) => name.endsWith('.js'))
      // The harness is evaluated, and what it declares must be seen by the test, which is evaluated after it.
      .map((name) => [name, readFileSync(join(checkout, 'harness', name), 'utf8').replace(/^(let|const) /gm, 'var ')]),
  );
  const sandbox = await start(harness);
  return {
    filesIn: (path) => filesIn(checkout, path),
    async run(file) {
      const results = [];
      for (const { name, event } of scriptsOf(checkout, file)) {
        const result = await run(sandbox, event);
        results.push({ name, failure: result === 'passed' ? null : String(result) });
      }
      return results;
    },
  };
}
