// Programs of mixed hostility in one pool share nothing, whatever runs before, beside and after them. HOSTILE_RUNS says how many
// are run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RunOptions, type RunResult, SandboxPool, sync } from '@hyperlight/js-host-api';

const RUNS = Number(process.env.HOSTILE_RUNS ?? 200);
const SEED = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 32));
const POOL_SIZE = 4;
const IN_FLIGHT = 12;

/** What a program finds around it, but for what it was given. It must be the same for each. */
const SURROUNDINGS = `
  const describe = (object) => Reflect.ownKeys(object).map((key) => {
    const { value, get, set, ...flags } = Reflect.getOwnPropertyDescriptor(object, key);
    const text = typeof value === 'object' ? '' : String(value ?? get);
    return [String(key), typeof value, text.length, Object.isFrozen(value), JSON.stringify(flags)].join();
  });
  const objects = [Object, Array, Function, Promise, JSON, Reflect, Math, String, Number, RegExp, Map, Error, Uint8Array];
  const surroundings = [globalThis, ...objects, ...objects.map(({ prototype }) => prototype ?? {})].flatMap(describe);
  const own = surroundings.filter((text) => !/^(mine|input),/.test(text));
  let digest = 0;
  for (const character of own.join()) digest = (digest * 31 + character.charCodeAt(0)) | 0;
`;
const HONEST = `${SURROUNDINGS} return [digest, own.length, input, await mine.token(), typeof theirs, typeof planted]`;

interface Kind {
  source: string;
  /** The code of its error, or the check of its value. */
  ends: string | ((result: RunResult, token: string) => void);
  options?: RunOptions;
}

const planted = (result: RunResult) => assert.equal(result.value, 'planted');
const memory = (result: RunResult) => assert.equal(result.value, 'no memory');
const hostile: Kind[] = [
  { source: 'globalThis.planted = mine; Object.prototype.planted = input; return "planted"', ends: planted },
  {
    source: `Object.defineProperty(globalThis, 'theirs', { value: mine.token, configurable: false });
      Object.defineProperty(Object.prototype, 'mine', { get() { return { token: () => 'forged' }; } });
      Object.freeze(globalThis.Array.prototype); return 'planted'`,
    ends: planted,
  },
  {
    source: `Promise.prototype.then = () => { throw new Error('stolen'); }; JSON.parse = JSON.stringify = () => 'stolen';
      Array.prototype[Symbol.iterator] = undefined; globalThis.Promise = undefined; return 'planted'`,
    ends: planted,
  },
  { source: 'export default "planted"; globalThis.input = "forged"; String.prototype.at = () => "x"', ends: planted },
  { source: 'for (;;);', ends: 'ERR_CANCELLED', options: { cpuTimeoutMs: 10 } },
  { source: 'await mine.token(); for (;;) await null', ends: 'ERR_CANCELLED', options: { wallClockTimeoutMs: 30 } },
  {
    source: 'await new Promise(() => setInterval(() => {}, 1))',
    ends: 'ERR_CANCELLED',
    options: { wallClockTimeoutMs: 30 },
  },
  { source: 'await new Promise(() => {})', ends: 'ERR_GUEST_ERROR' },
  {
    source: `const all = []; try { for (;;) all.push(new Uint8Array(2 ** 20)); } catch { all.length = 0; return 'no memory' }`,
    ends: memory,
    options: { memoryLimitBytes: 8 * 2 ** 20 },
  },
  { source: 'const f = () => f() + 1; return f()', ends: 'ERR_GUEST_ERROR' },
  { source: '"x".repeat(2 ** 20 + 1)', ends: 'ERR_PAYLOAD_TOO_LARGE' },
  { source: 'Array.from({ length: 200_000 }, () => 0)', ends: 'ERR_PAYLOAD_TOO_LARGE' },
  { source: 'throw { toString() { throw this; }, get message() { throw this; } }', ends: 'ERR_GUEST_ERROR' },
  { source: '} steal(); {', ends: 'ERR_COMPILE' },
  { source: "import { token } from 'host:theirs'; export default token", ends: 'ERR_COMPILE' },
  {
    source: `const tries = [() => theirs.token(), () => import('host:theirs'), () => mine.secret(), () => import('run')];
      const results = await Promise.all(tries.map(async (attempt) => { try { await attempt(); return 1 } catch { return 0 } }));
      return results.includes(1) ? 'reached' : 'planted'`,
    ends: planted,
  },
  {
    source: `const calls = Array.from({ length: 1200 }, () => mine.token());
      return (await Promise.allSettled(calls)).filter(({ value }) => value !== undefined && value !== input).length`,
    ends: ({ value }) => assert.equal(value, 0),
  },
  { source: `for (let i = 0; i < 200; i++) console.log('x'.repeat(1000)); return 'planted'`, ends: planted },
  { source: `Promise.reject(new Error(input)); setTimeout(() => { throw 1 }, 1e6); return 'planted'`, ends: planted },
  { source: `mine.wait('x'.repeat(2 ** 20))`, ends: 'ERR_GUEST_ERROR' },
  { source: `mine.wait(mine.wait(1))`, ends: ({ value }, token) => assert.equal(value, token) },
];

/** Numbers below a limit, the same for the same seed. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test(`${RUNS} programs of mixed hostility share nothing`, async (t) => {
  const next = numbers(SEED);
  const pool = new SandboxPool({ size: POOL_SIZE });
  const clean = (await pool.run(HONEST, { input: 'none', functions: { mine: { token: async () => 'none' } } })).value;
  assert.deepEqual(clean.slice(2), ['none', 'none', 'undefined', 'undefined']);
  const counts = { honest: 0, hostile: 0, aborted: 0 };

  async function one(i: number): Promise<void> {
    const token = `token ${i}`;
    const kind = next(2) === 0 ? undefined : (hostile[next(hostile.length)] ?? assert.fail());
    const aborted = next(20) === 0 ? new AbortController() : undefined;
    let hasEnded = false;
    const answer = () => {
      assert.equal(hasEnded, false, 'a run that has ended calls its functions');
      return token;
    };
    const functions = { mine: { token: async () => answer() } };
    const withSync = kind?.source.includes('mine.wait') ? { mine: sync({ token: answer, wait: answer }) } : functions;
    const options = { ...kind?.options, input: token, functions: withSync, signal: aborted?.signal };
    const running = pool.run(kind?.source ?? HONEST, options).then(
      (result) => ({ result, code: undefined }),
      (error: { code: string }) => ({ result: undefined, code: error.code }),
    );
    if (aborted) setTimeout(() => aborted.abort(), next(5));
    const { result, code } = await running;
    hasEnded = true;
    if (aborted && code === 'ERR_CANCELLED') {
      counts.aborted++;
    } else if (!kind) {
      assert.deepEqual(result?.value, [...clean.slice(0, 2), token, token, 'undefined', 'undefined'], code);
      assert.deepEqual(result?.receipt.console, []);
      counts.honest++;
    } else {
      if (typeof kind.ends === 'string') assert.equal(code, kind.ends, kind.source);
      else kind.ends(result ?? assert.fail(`${code}: ${kind.source}`), token);
      counts.hostile++;
    }
  }

  let begun = 0;
  const began = performance.now();
  const lane = async () => {
    while (begun < RUNS) await one(begun++);
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`repeat this with HOSTILE_SEED=${SEED} HOSTILE_RUNS=${RUNS}: ${message}`, { cause: error });
  }
  assert.equal(counts.honest + counts.hostile + counts.aborted, RUNS);
  t.diagnostic(`${JSON.stringify(counts)} in ${Math.round(performance.now() - began)} ms`);
  await pool.close();
});
