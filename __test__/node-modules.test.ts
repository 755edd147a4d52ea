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
  "m.createHash('sha256').update('a').copy().update('b').digest('hex')",
  "(() => { const h = m.createHash('sha1').update('a'); const c = h.copy(); return [h.digest('hex'), c.update('b').digest('hex')]; })()",
  "m.pbkdf2Sync('password', 'salt', 2, 20, 'sha1')",
  "m.pbkdf2Sync(Buffer.from('password'), Buffer.from('salt'), 5, 70, 'sha512').toString('hex')",
  "m.pbkdf2Sync('p', 's', 1, 0, 'md5')",
  "m.pbkdf2Sync('p', 's', 0, 1, 'sha1')",
  "m.pbkdf2Sync('p', 's', 1.5, 1, 'sha1')",
  "m.pbkdf2Sync('p', 's', 1, -1, 'sha1')",
  "m.pbkdf2Sync(1, 's', 1, 1, 'sha1')",
  "m.pbkdf2Sync('p', 's', 1, 1, 'nothing')",
  "m.pbkdf2Sync('p', 's', 1, 1)",
  "await new Promise((done) => m.pbkdf2('p', 's', 1, 8, 'sha256', (error, bytes) => done([error, bytes])))",
  "m.pbkdf2('p', 's', 1, 8, 'sha256')",
  "m.hkdfSync('sha256', 'key', 'salt', 'info', 64)",
  "m.hkdfSync('sha512', Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(0), 10)",
  "m.hkdfSync('sha1', 'key', 'salt', 'info', 20 * 255 + 1)",
  "m.hkdfSync('sha1', 'key', 'salt', 'info', 'x')",
  "m.hkdfSync('sha1', 'key', 'salt', Buffer.alloc(1025), 5)",
  "await new Promise((done) => m.hkdf('sha256', 'key', 'salt', 'info', 8, (error, bytes) => done([error, bytes])))",
  "m.scryptSync('', '', 64, { N: 16, r: 1, p: 1 }).toString('hex')",
  "m.scryptSync('password', 'NaCl', 64, { cost: 1024, blockSize: 8, parallelization: 16 }).toString('hex')",
  "m.scryptSync('p', 's', 4)",
  "m.scryptSync('p', 's', 0)",
  "m.scryptSync('p', 's', 4, { N: 15 })",
  "m.scryptSync('p', 's', 4, { N: 2, cost: 2 })",
  "m.scryptSync('p', 's', 4, { r: -1 })",
  "m.scryptSync('p', 's', '4')",
  "await new Promise((done) => m.scrypt('p', 's', 4, { N: 2 }, (error, bytes) => done([error, bytes])))",
  ...[
    'aes-128-cbc',
    'aes-192-cbc',
    'aes-256-cbc',
    'aes-128-ctr',
    'aes-256-ctr',
    'aes-128-gcm',
    'aes-192-gcm',
    'AES-256-GCM',
  ].flatMap((name) => {
    const make = (kind: string) =>
      `m.create${kind}('${name}', Buffer.alloc(${Number(name.slice(4, 7)) / 8}, 'k'), Buffer.alloc(16, 'i'))`;
    return [
      `(() => { const c = ${make('Cipheriv')}; return [c.update('text'), c.update(Buffer.alloc(33, 7)), c.update('6162', 'hex'), c.final()]; })()`,
      `(() => { const c = ${make('Cipheriv')}; const d = ${make('Decipheriv')};
          const all = Buffer.concat([c.update('some text that takes two blocks'), c.final()]);
          if ('${name}'.toLowerCase().endsWith('gcm')) d.setAuthTag(c.getAuthTag());
          return [d.update(all.subarray(0, 3)), d.update(all.subarray(3, 21)), d.update(all.subarray(21)), d.final()]; })()`,
    ];
  }),
  "(() => { const c = m.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12), { authTagLength: 12 }); c.setAAD(Buffer.from('more')); return [c.update('x'), c.final(), c.getAuthTag()]; })()",
  "(() => { const d = m.createDecipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update('x'); return d.final(); })()",
  "(() => { const d = m.createDecipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)); d.update('x'); return d.final(); })()",
  "m.createDecipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)).setAuthTag(Buffer.alloc(3))",
  "(() => { const d = m.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); d.update(Buffer.alloc(32)); return d.final(); })()",
  "(() => { const d = m.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); d.update(Buffer.alloc(17)); return d.final(); })()",
  "(() => { const c = m.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); c.setAutoPadding(false); return [c.update(Buffer.alloc(17)), c.final()]; })()",
  "(() => { const c = m.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); c.setAutoPadding(false); return [c.update(Buffer.alloc(32)), c.final()]; })()",
  "(() => { const c = m.createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)); c.final(); return c.update('x'); })()",
  "(() => { const c = m.createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)); c.final(); return c.final(); })()",
  "m.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)).getAuthTag()",
  "m.createCipheriv('aes-128-cbc', Buffer.alloc(15), Buffer.alloc(16))",
  "m.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(15))",
  "m.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(0))",
  "m.createCipheriv('nothing', Buffer.alloc(16), Buffer.alloc(15))",
  "m.createCipheriv('aes-128-cbc', 1, Buffer.alloc(16))",
  "m.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)).update(1)",
  'm.webcrypto === globalThis.crypto',
  'm.subtle === globalThis.crypto.subtle',
  'm.getRandomValues(new Uint8Array(2)).length',
  // At the end: what fails in Node.js after it has the same message.
  "m.scryptSync('p', 's', 4, { N: 2 ** 20 })",
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
