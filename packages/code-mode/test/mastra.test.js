import assert from 'node:assert/strict';
import * as nodeModule from 'node:module';
import { test } from 'node:test';
import { codeModeTransport } from '@hyperlight/code-mode/mastra';
import { model } from './script.js';

const OLD = typeof nodeModule.stripTypeScriptTypes !== 'function' && 'Mastra needs a newer Node.js';

test('an agent runs a program in TypeScript, which calls tools', { skip: OLD }, async () => {
  const { Agent } = await import('@mastra/core/agent');
  const { createCodeMode, createTool } = await import('@mastra/core/tools');
  const { z } = await import('zod');
  const price = createTool({
    id: 'price-of',
    description: 'The price of an item.',
    inputSchema: z.object({ item: z.string() }),
    outputSchema: z.object({ price: z.number() }),
    execute: async ({ item }) => ({ price: { apple: 2, pear: 3 }[item] }),
  });
  const { tool, instructions } = createCodeMode({ tools: { price }, timeout: 20_000 }, codeModeTransport());
  assert.match(instructions, /external_price_of/);
  const run = async (code) => {
    const agent = new Agent({
      id: 'shop',
      name: 'shop',
      instructions,
      model: model(tool.id, { code }),
      tools: { [tool.id]: tool },
    });
    const { text, toolResults, steps } = await agent.generate('How much?', { maxSteps: 3 });
    assert.equal(text, 'Done.');
    const results = toolResults.length > 0 ? toolResults : steps.flatMap((step) => step.toolResults);
    return results[0].payload.result;
  };
  const program = `
    const prices: { price: number }[] = await Promise.all(['apple', 'pear'].map((item) => external_price_of({ item })));
    console.log('asked', prices.length);
    return prices.reduce((sum, { price }) => sum + price, 0);
  `;
  assert.deepEqual(await run(program), { success: true, result: 5, logs: ['asked 2'] });
  const failed = await run('const a = 1;\nthrow new RangeError("no")');
  assert.deepEqual([failed.success, failed.error], [false, { name: 'RangeError', message: 'no', line: 2 }]);
  assert.match((await run('return external_price_of({ item: 7 })')).error.message, /item/);
});

test('the transport tells of calls, and stops', async () => {
  const told = [];
  const options = {
    program: 'return external__7_b({ a: 1 }).catch((error) => error.message)',
    toolIds: ['7-b'],
    dispatch: async (id, input) => {
      throw new Error(`${id} ${JSON.stringify(input)}`);
    },
    timeout: 20_000,
    onExternalCall: (id) => told.push(id),
    onExternalResult: (id, ms, error) => told.push(id, typeof ms, error.message),
  };
  const transport = codeModeTransport();
  assert.deepEqual(await transport.run(options), { success: true, result: '7-b {"a":1}', logs: [] });
  assert.deepEqual(told, ['7-b', '7-b', 'number', '7-b {"a":1}']);
  const abortSignal = AbortSignal.timeout(50);
  assert.equal((await transport.run({ ...options, program: 'for (;;);', abortSignal })).error.name, 'AbortError');
  await assert.rejects(transport.run({ ...options, toolIds: ['a-b', 'a_b'] }), { code: 'ERR_INVALID_ARG' });
});
