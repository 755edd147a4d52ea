import assert from 'node:assert/strict';
import { register } from 'node:module';
import { test } from 'node:test';
import { createCodeTool, tanstackTools } from '@cloudflare/codemode/tanstack-ai';
import { codemodeExecutor } from '@hyperlight/code-mode/cloudflare';
import { chat, maxIterations, toolDefinition } from '@tanstack/ai';
import { generateText, isStepCount, tool } from 'ai';
import { z } from 'zod';
import { adapter, model, resultOfChat } from './script.js';

const executor = codemodeExecutor({ timeoutMs: 20_000 });
const inputSchema = z.object({ item: z.string() });
const priceOf = async ({ item }) => ({ apple: 2, pear: 3 })[item];
const PROGRAM = `async () => {
  const prices = await Promise.all(['apple', 'pear'].map((item) => codemode.price_of({ item })));
  console.warn('asked', prices.length);
  return prices[0] + prices[1];
}`;

test("codemode with TanStack AI's chat", async () => {
  const price = toolDefinition({ name: 'price-of', description: 'The price of an item.', inputSchema }).server(priceOf);
  const code = createCodeTool({ tools: [tanstackTools([price])], executor });
  assert.match(code.description, /price_of/);
  const stream = chat({
    adapter: adapter(code.name, { code: PROGRAM }),
    messages: [{ role: 'user', content: 'How much?' }],
    tools: [code],
    agentLoopStrategy: maxIterations(3),
  });
  assert.deepEqual(await resultOfChat(stream), { result: { result: 5, logs: ['[warn] asked 2'] }, text: 'Done.' });
});

test('codemode with the AI SDK', async () => {
  // This entry imports a module that only Cloudflare's runtime has.
  const stub = 'export class RpcTarget {} export class DurableObject {} export class WorkerEntrypoint {}';
  const hook = `export const resolve = (name, context, next) =>
    name === 'cloudflare:workers' ? { url: ${JSON.stringify(moduleOf(stub))}, shortCircuit: true } : next(name, context);`;
  register(moduleOf(hook));
  const { createCodeTool } = await import('@cloudflare/codemode/ai');
  const tools = { 'price-of': tool({ description: 'The price of an item.', inputSchema, execute: priceOf }) };
  const codemode = createCodeTool({ tools, executor });
  const { text, steps } = await generateText({
    model: model('codemode', { code: PROGRAM }),
    tools: { codemode },
    stopWhen: isStepCount(3),
    prompt: 'How much?',
  });
  assert.equal(text, 'Done.');
  assert.deepEqual(steps[0].toolResults[0].output, { result: 5, logs: ['[warn] asked 2'] });
});

test('providers have names, preludes and several arguments', async () => {
  const add = async (...numbers) => numbers.reduce((a, b) => a + b, 0);
  const providers = [
    { name: 'math', fns: { add } },
    { name: 'more', fns: { one: async () => 1 }, prelude: 'more.twice = async () => 2 * (await more.one());' },
  ];
  assert.deepEqual(await executor.execute('async () => math.add(1, 2, 3)', providers), { result: 6, logs: [] });
  assert.deepEqual(await executor.execute('async () => [await more.twice(), await math.add(1)]', providers), {
    result: [2, 1],
    logs: [],
  });
  assert.deepEqual(await executor.execute('async () => codemode.add(1, 2)', { add }), { result: 3, logs: [] });
  const bytes = await executor.execute('async () => codemode.get()', { get: async () => new Uint8Array([1, 2]) });
  assert.deepEqual(bytes.result, new Uint8Array([1, 2]));
});

test('it returns what is wrong, and never rejects', async () => {
  const errorOf = async (code, providers = [], options) => (await executor.execute(code, providers, options)).error;
  assert.match(await errorOf('async () => { throw new Error("no") }'), /^no$/);
  assert.match(await errorOf('async () => { return 1 +; }'), /line 1/);
  assert.match(
    await errorOf('async () => codemode.f()', { f: async () => Promise.reject(new Error('the disk is full')) }),
    /^the disk is full$/,
  );
  assert.match(
    await codemodeExecutor({ timeoutMs: 100 })
      .execute('async () => { for (;;); }', [])
      .then(({ error }) => error),
    /timed out/,
  );
  const fns = { f: async () => 1 };
  assert.match(await errorOf('1', [{ name: 'a-b', fns }]), /identifier/);
  assert.match(
    await errorOf('1', [
      { name: 'a', fns },
      { name: 'a', fns },
    ]),
    /two providers/,
  );
  assert.match(await errorOf('1', [{ name: 'console', fns }]), /console/);
  assert.match(await errorOf('1', [{ name: 'a', fns: { 'b-c': fns.f, b_c: fns.f } }]), /two tools/);
  assert.match(await errorOf('1', [], { connectors: [{ name: 'c' }] }), /connectors/);
  const names = ['get-it', 'a.b', 'délete', '7', 'delete', '', '__proto__x'];
  const { result } = await executor.execute(
    '() => Object.keys(codemode)',
    Object.fromEntries(names.map((name) => [name, fns.f])),
  );
  assert.deepEqual(result.sort(), ['_', '_7', '__proto__x', 'a_b', 'delete_', 'dlete', 'get_it']);
});

const moduleOf = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
