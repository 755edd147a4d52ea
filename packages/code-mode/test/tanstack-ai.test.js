import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolateDriver } from '@hyperlight/code-mode/tanstack-ai';
import { chat, maxIterations, toolDefinition } from '@tanstack/ai';
import { createCodeMode } from '@tanstack/ai-code-mode';
import { z } from 'zod';
import { adapter, resultOfChat } from './script.js';

const price = toolDefinition({
  name: 'price',
  description: 'The price of an item.',
  inputSchema: z.object({ item: z.string() }),
  outputSchema: z.number(),
}).server(async ({ item }) => ({ apple: 2, pear: 3 })[item]);
const codeMode = createCodeMode({ driver: isolateDriver(), tools: [price], timeout: 20_000 });

async function run(typescriptCode, { tools, systemPrompt } = codeMode) {
  const stream = chat({
    adapter: adapter('execute_typescript', { typescriptCode }),
    messages: [{ role: 'user', content: 'How much?' }],
    systemPrompts: [systemPrompt],
    tools,
    agentLoopStrategy: maxIterations(3),
  });
  return resultOfChat(stream);
}

test('chat: a program in TypeScript calls tools', async () => {
  const { result, text } = await run(`
    const prices: number[] = await Promise.all(['apple', 'pear'].map((item: string) => external_price({ item })));
    console.log('asked', prices.length);
    console.error('a line of errors');
    return { sum: prices[0] + prices[1] };
  `);
  assert.deepEqual(result, { success: true, result: { sum: 5 }, logs: ['asked 2', 'ERROR: a line of errors'] });
  assert.equal(text, 'Done.');
});

test('chat: what is wrong is the result', async () => {
  const { result } = await run('return external_price({ item: 7 })');
  assert.equal(result.success, false);
  assert.match(result.error.message, /Input validation failed for tool price/);
  assert.equal((await run('throw new RangeError("no")')).result.error.name, 'RangeError');
  const hasty = createCodeMode({ driver: isolateDriver(), tools: [price], timeout: 100 });
  assert.equal((await run('for (;;);', hasty)).result.error.name, 'TimeoutError');
});

test('a context runs programs until it is disposed of', async () => {
  const bindings = { external_echo: { execute: async (input) => input } };
  const context = await isolateDriver().createContext({ bindings, timeout: 20_000 });
  assert.deepEqual(await context.execute('return external_echo([1])'), { success: true, value: [1], logs: [] });
  // Each of them in clean state.
  assert.equal((await context.execute('globalThis.left = 1; return typeof external_echo')).value, 'function');
  assert.equal((await context.execute('return typeof left')).value, 'undefined');
  const { error } = await context.execute('return 1 +;');
  assert.deepEqual([error.name, error.code], ['SyntaxError', 'ERR_COMPILE']);
  // Places are those of the program.
  assert.match(error.message, /\(line 1, column 11\)/);
  const running = context.execute('for (;;);');
  await context.dispose();
  assert.equal((await running).error.name, 'AbortError');
  assert.equal((await context.execute('return 1')).error.name, 'DisposedError');
});

test('the memory limit is that of the program', async () => {
  const program = 'return new Uint8Array(6 * 2 ** 20).length';
  for (const [driver, memoryLimit] of [
    [isolateDriver(), 4],
    [isolateDriver({ memoryLimitBytes: 4 * 2 ** 20 }), 1e9],
    [isolateDriver({ memoryLimitBytes: 4 * 2 ** 20 }), undefined],
  ]) {
    const { error } = await (await driver.createContext({ bindings: {}, memoryLimit })).execute(program);
    assert.match(error.message, /out of memory/);
  }
  const context = await isolateDriver().createContext({ bindings: {}, memoryLimit: 1e9 });
  assert.equal((await context.execute(program)).value, 6 * 2 ** 20);
});

test('names that are no variables are refused', async () => {
  const execute = async () => 1;
  for (const name of ['a-b', 'a = evil(), b', '']) {
    await assert.rejects(isolateDriver().createContext({ bindings: { [name]: { execute } } }), {
      code: 'ERR_INVALID_ARG',
    });
  }
});
