// Modules that a pool has prepared for its programs.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SandboxPool } from '@hyperlight/js-host-api';
import { until } from './memory';
import { load, rejection } from './sandbox';

const pool = new SandboxPool({ size: 2 });
after(() => pool.close());

const TOOLS = `
  import { one } from './one';
  let count = 0;
  export const next = () => ++count;
  export const two = one + one;
  globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;
`;

test('programs find prepared modules evaluated, each with a copy of its own of what they keep', async () => {
  await pool.prepare({ tools: TOOLS, one: 'export const one = 1', later: 'export default await Promise.resolve(3)' });
  const source = "import { next, two } from 'tools'; next(); export default [next(), two, evaluated]";
  const runs = Array.from({ length: 8 }, () => pool.run(source));
  for (const { value } of await Promise.all(runs)) assert.deepEqual(value, [2, 2, 1]);
  await rejection('ERR_CANCELLED', pool.run('for (;;);', { wallClockTimeoutMs: 20 }));
  assert.deepEqual((await pool.run(source)).value, [2, 2, 1]);
  assert.equal((await pool.run('return (await import("tools")).two + await input', { input: 1 })).value, 3);
  assert.equal((await pool.run("import three from 'later'; export default three")).value, 3);
  // A module of a run cannot take the place of a prepared one.
  await rejection('ERR_INVALID_ARG', pool.run('1', { modules: { tools: '' } }));
});

test('preparations add to each other, also those that are asked for at the same time', async () => {
  const own = new SandboxPool({ size: 2 });
  const names = ['a', 'b', 'c'];
  await Promise.all(names.map((name) => own.prepare({ [name]: `export default '${name}'` })));
  const source = "import a from 'a'; import b from 'b'; import c from 'c'; export default a + b + c";
  for (let i = 0; i < 4; i++) assert.equal((await own.run(source)).value, 'abc');
  await own.prepare({ d: "import a from 'a'; export default a + 'd'" });
  assert.equal((await own.run("import d from 'd'; export default d")).value, 'ad');
  assert.ok(await until(() => own.ready === 2), 'no sandbox was lost');
  await own.close();
});

test('what cannot be prepared changes nothing', async () => {
  const own = new SandboxPool({ size: 1 });
  await own.prepare({ a: 'export default 1' });
  const error = await rejection('ERR_COMPILE', own.prepare({ b: 'export default 2', c: 'let = 1' }));
  assert.deepEqual([error.file, error.line, error.column], ['c', 1, 5]);
  await rejection('ERR_COMPILE', own.prepare({ b: "import 'nowhere'" }));
  await rejection('ERR_COMPILE', own.prepare({ b: "import 'host:db'" }));
  await rejection('ERR_GUEST_ERROR', own.prepare({ b: 'throw new Error("no")' }));
  await rejection('ERR_GUEST_ERROR', own.prepare({ b: 'await new Promise(() => {})' }));
  await rejection('ERR_CANCELLED', own.prepare({ b: 'for (;;);' }, { wallClockTimeoutMs: 20 }));
  await rejection('ERR_CANCELLED', own.prepare({ b: '' }, { signal: AbortSignal.abort() }));
  const late = new AbortController();
  const stopped = rejection('ERR_CANCELLED', own.prepare({ b: 'for (;;);' }, { signal: late.signal }));
  late.abort();
  await stopped;
  await rejection('ERR_PAYLOAD_TOO_LARGE', own.prepare({ b: ' '.repeat(2 ** 23) }));
  for (const modules of [
    1,
    null,
    undefined,
    { b: 1 },
    { crypto: '' },
    { 'host:b': '' },
    { './b': '' },
    { run: '' },
    { a: '' },
  ]) {
    await rejection('ERR_INVALID_ARG', own.prepare(modules as never));
  }
  await rejection('ERR_INVALID_ARG', own.prepare({ b: '' }, { unknown: 1 } as never));
  await rejection('ERR_COMPILE', own.run("import 'b'"));
  assert.equal((await own.run("import a from 'a'; export default a")).value, 1);
  await own.prepare({});
  await own.prepare({ b: 'export default 2' });
  assert.equal((await own.run("import b from 'b'; export default b")).value, 2);
  await own.close();
  await rejection('ERR_CONSUMED', own.prepare({ b: '' }));
});

test('a pool of a snapshot keeps its handlers, and one that a function makes refuses', async () => {
  const snapshot = await (await load({ f: 'let n = 0; function handler() { return ++n }' })).snapshot();
  const own = new SandboxPool({ size: 1, snapshot });
  assert.equal(await own.callHandler('f', null), 1);
  await own.prepare({ a: 'export default 1' });
  assert.equal(await own.callHandler('f', null), 1);
  assert.equal((await own.run("import a from 'a'; export default a")).value, 1);
  await own.close();
  const ofFunction = new SandboxPool({ size: 1, prepare: () => load({ f: 'function handler() {}' }) });
  await rejection('ERR_INVALID_ARG', ofFunction.prepare({ a: '' }));
  await ofFunction.close();
});
