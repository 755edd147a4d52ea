import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { inspect } from 'node:util';
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
