import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { run } from '@hyperlight/js-host-api';
import { EXPRESSIONS, SETUPS } from './node-expressions';
import { load } from './sandbox';

const requireModule = createRequire(__filename);

/** Evaluates an expression, with a module as `m`, in the guest and in Node.js alike. */
const EVALUATE = `async (module, setup, expression, inspect) => {
  try {
    const value = await new Function('m', setup + '\\nreturn (async () => (' + expression + '\\n))();')(module);
    return inspect(value, { depth: 9 });
  } catch (error) {
    return 'threw ' + error?.name + ' ' + error?.code + ' ' + (error?.message ?? error);
  }
}`;
const evaluate = new Function(`return ${EVALUATE}`)() as (...given: unknown[]) => Promise<string>;

const withoutFrames = (text: string): string => text.replaceAll(/\n\s+at .*/g, '');

for (const [name, expressions] of Object.entries(EXPRESSIONS)) {
  test(`the module ${name} does as that of Node.js`, async () => {
    const source = `
      import module, * as all from '${name}';
      import prefixed from 'node:${name}';
      import { inspect } from 'util';
      const evaluate = ${EVALUATE};
      async function handler({ setup, expressions }) {
        const results = [];
        for (const expression of expressions) results.push(await evaluate(module, setup, expression, inspect));
        const missing = Object.keys(all).filter((key) => key !== 'default' && !(key in module));
        return { results, missing, isSame: module === prefixed };
      }
    `;
    await using guest = await load({ f: source });
    const setup = SETUPS[name] ?? '';
    const { results, missing, isSame } = (await guest.callHandler('f', { setup, expressions })) as {
      results: string[];
      missing: string[];
      isSame: boolean;
    };
    assert.deepEqual([missing, isSame], [[], true]);
    const different: string[] = [];
    for (const [i, expression] of expressions.entries()) {
      const expected = withoutFrames(await evaluate(requireModule(name), setup, expression, inspect));
      const found = withoutFrames(results[i] ?? '');
      if (found !== expected) different.push(`${expression}\nin the guest: ${found}\nin Node.js:   ${expected}`);
    }
    assert.equal(different.length, 0, different.join('\n\n'));
  });
}

/** What depends on chance is not compared, but has the same shape. */
const CRYPTO = [
  "m.createHash('sha256').update('a').digest().toString('hex')",
  "m.createHash('sha256').update('a').digest()",
  "m.createHash('md5').update(Buffer.from('é', 'latin1')).digest('base64')",
  "m.createHash('sha1').update('6162', 'hex').digest('latin1')",
  "m.createHmac('sha512', Buffer.from('key')).update('a').update('b').digest('base64url')",
  "m.createHmac('sha256', 'key').update('a').digest().readUInt32BE(3)",
  "/^[0-9a-f]{8}$/.test(m.randomBytes(4).toString('hex'))",
  'm.randomBytes(5).length',
  'Buffer.isBuffer(m.randomBytes(1))',
  'await new Promise((done) => m.randomBytes(3, (error, bytes) => done([error, bytes.length])))',
  'm.randomInt(1)',
  'm.randomInt(5, 6)',
  'm.randomInt(-3, -2)',
  'new Set(Array.from({ length: 500 }, () => m.randomInt(3))).size',
  'Array.from({ length: 500 }, () => m.randomInt(-5, 5)).every((n) => n >= -5 && n < 5)',
  'await new Promise((done) => m.randomInt(7, 8, (error, n) => done([error ?? null, n])))',
  "m.randomInt('1')",
  'm.randomInt(1.5)',
  'm.randomInt(5, 5)',
  'm.randomInt(0, 2 ** 48)',
  'm.randomFillSync(Buffer.alloc(2)).length',
  'm.randomFillSync(Buffer.alloc(8), 4).subarray(0, 4)',
  'm.randomFillSync(Buffer.alloc(8), 2, 3).subarray(5)',
  "m.timingSafeEqual(Buffer.from('a'), Buffer.from('a'))",
];

test('what crypto gives are Buffers', async () => {
  await using guest = await load({
    f: `
      import m from 'node:crypto';
      import { inspect } from 'util';
      const evaluate = ${EVALUATE};
      async function handler(expressions) {
        const results = [];
        for (const expression of expressions) results.push(await evaluate(m, '', expression, inspect));
        return results;
      }
    `,
  });
  const found = await guest.callHandler('f', CRYPTO);
  const expected = await Promise.all(CRYPTO.map((text) => evaluate(requireModule('crypto'), '', text, inspect)));
  assert.deepEqual(found, expected);
});

test('a module of that name comes first, and the prefix means the one of Node.js', async () => {
  const { value } = await run(
    "import own from 'events'; import other from 'node:events'; export default [own, typeof other]",
    {
      modules: { events: "export default 'mine'" },
    },
  );
  assert.deepEqual(value, ['mine', 'function']);
});
