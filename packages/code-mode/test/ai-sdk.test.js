import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codeTool } from '@hyperlight/code-mode/ai-sdk';
import { SandboxPool } from '@hyperlight/js-host-api';
import { generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { model } from './script.js';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

const calls = [];
const tools = {
  price: tool({
    description: 'The price of an item.',
    inputSchema: z.object({ item: z.string() }),
    execute: async ({ item }, { toolCallId }) => {
      calls.push(toolCallId);
      return { apple: 2, pear: 3 }[item];
    },
  }),
  'pay-out': tool({ inputSchema: z.object({}), needsApproval: true, execute: async () => calls.push('paid') }),
  elsewhere: tool({ inputSchema: z.object({}) }),
  progress: tool({
    inputSchema: z.object({}),
    async *execute() {
      yield 'begun';
      yield 'ended';
    },
  }),
};
const code = codeTool(tools, { pool, timeoutMs: 20_000 });
const PROGRAM = `
  const prices: number[] = await Promise.all(['apple', 'pear'].map((item: string) => tools.price({ item })));
  console.log('asked', prices.length);
  return prices.reduce((sum, price) => sum + price, 0);
`;

test('generateText: a program calls tools', async () => {
  const scripted = model('code', { code: PROGRAM.replaceAll(/: (number\[\]|string)/g, '') });
  const { text, steps } = await generateText({
    model: scripted,
    tools: { code },
    stopWhen: isStepCount(3),
    prompt: 'How much?',
  });
  assert.equal(text, 'Done.');
  assert.deepEqual(steps[0].toolResults[0].output, { result: 5, console: ['asked 2'] });
  assert.deepEqual(calls.splice(0), ['call-1', 'call-1']);
  const [shown] = scripted.doGenerateCalls[0].tools;
  assert.match(
    shown.description,
    /declare const tools: \{\n {2}\/\*\* The price of an item\. \*\/\n {2}price\(input: \{\n {4}item: string;\n/,
  );
  assert.deepEqual(shown.inputSchema.required, ['code']);
  // The model reads the result.
  assert.match(JSON.stringify(scripted.doGenerateCalls[1].prompt), /"result":5/);
});

test('streamText does the same', async () => {
  const result = streamText({
    model: model('code', { code: PROGRAM.replaceAll(/: (number\[\]|string)/g, '') }),
    tools: { code },
    stopWhen: isStepCount(3),
    prompt: 'How much?',
  });
  assert.equal(await result.text, 'Done.');
  assert.deepEqual((await result.steps)[0].toolResults[0].output, { result: 5, console: ['asked 2'] });
});

test('what the tool is called with is checked', async () => {
  const { steps } = await generateText({
    model: model('code', { source: '1' }),
    tools: { code },
    stopWhen: isStepCount(2),
    prompt: '?',
  });
  assert.match(JSON.stringify(steps[0].content), /input has no property|input\.code is missing/);
});

test('TypeScript is run as well', async () => {
  assert.equal((await code.execute({ code: PROGRAM })).result, 5);
  const { error } = await code.execute({ code: 'const a: number = 1;\n  return a.b.c;' });
  assert.deepEqual([error.name, error.line], ['TypeError', 2]);
  const { error: syntax } = await code.execute({ code: 'const a: number = 1;\nreturn a +;' });
  assert.deepEqual([syntax.name, syntax.line], ['SyntaxError', 2]);
});

test('what is wrong is the result', async () => {
  const errorOf = async (code_) => (await code.execute({ code: code_ })).error;
  const syntax = await errorOf('const a = 1;\nreturn a +;');
  assert.deepEqual([syntax.name, syntax.line], ['SyntaxError', 2]);
  assert.match(
    (await errorOf('return tools.price({ item: 7 })')).message,
    /^tools\.price: input\.item: .*It is called as tools\.price\(input: /,
  );
  assert.match((await errorOf('return tools.price()')).message, /input\.item/);
  assert.equal((await errorOf('throw new RangeError("no")')).name, 'RangeError');
  for (const name of ['pay_out', 'elsewhere']) {
    assert.equal((await errorOf(`return tools.${name}({})`)).name, 'TypeError');
  }
  assert.ok(!calls.includes('paid'));
  assert.equal((await code.execute({ code: 'return tools.progress({})' })).result, 'ended');
  const few = codeTool(tools, { pool, maxToolCalls: 1 });
  const twice = 'await tools.progress({}); return tools.progress({})';
  assert.match((await few.execute({ code: twice })).error.message, /has made 1 calls of host functions already/);
  const slow = codeTool(tools, { pool, timeoutMs: 100 });
  assert.equal((await slow.execute({ code: 'for (;;);' })).error.name, 'TimeoutError');
  const abortSignal = AbortSignal.timeout(50);
  assert.equal((await code.execute({ code: 'for (;;);' }, { abortSignal })).error.name, 'AbortError');
});

test('wrong options are refused', () => {
  assert.throws(() => codeTool(tools, { timeout: 1 }), { code: 'ERR_INVALID_ARG' });
  assert.throws(() => codeTool(tools, { pool: {} }), { code: 'ERR_INVALID_ARG' });
});
