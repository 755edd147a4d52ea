// Schemas of the libraries themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '@hyperlight/tools';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { jsonSchema, tool } from 'ai';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

const execute = async (input) => input;
const EXPECTED = /^db\.find\(input: \{ id: number; name\?: string \}\): Promise<any>$/;

for (const [library, inputSchema] of [
  ['zod', z.object({ id: z.number(), name: z.string().optional() })],
  ['Valibot', toStandardJsonSchema(v.object({ id: v.number(), name: v.optional(v.string()) }))],
  ['ArkType', type({ id: 'number', 'name?': 'string' })],
]) {
  test(`${library}: the declaration, the check`, async () => {
    for (const find of [{ inputSchema, execute }, tool({ inputSchema, execute })]) {
      const { tools, functions } = describe({ db: { find } });
      assert.match(tools[0].signature, EXPECTED);
      assert.deepEqual(await functions.db.find({ id: 1 }), { id: 1 });
      await assert.rejects(
        functions.db.find({ id: 'x' }),
        /^ToolInputError: db\.find: input\.id: .*It is called as db\.find\(input/,
      );
    }
    assert.match(describe({ db: { find: inputSchema } }).tools[0].signature, EXPECTED);
  });
}

test('zod: values are what the schema makes of them', async () => {
  const inputSchema = z.object({ id: z.coerce.number(), limit: z.number().default(10) });
  const { functions } = describe({ db: { find: { inputSchema, execute } } });
  assert.deepEqual(await functions.db.find({ id: '7' }), { id: 7, limit: 10 });
});

test('a schema that JSON schema cannot express is checked all the same', async () => {
  for (const inputSchema of [z.object({ at: z.custom((value) => value === 1) }), v.object({ at: v.literal(1) })]) {
    const { tools, functions } = describe({ db: { find: { inputSchema, execute } } });
    assert.match(tools[0].signature, /^db\.find\(input: /);
    assert.deepEqual(await functions.db.find({ at: 1 }), { at: 1 });
    await assert.rejects(functions.db.find({ at: 2 }), { code: 'ERR_TOOL_INPUT' });
  }
});

test('the AI SDK: jsonSchema()', async () => {
  const inputSchema = jsonSchema({ type: 'object', properties: { id: { type: 'number' } }, required: ['id'] });
  const { tools, functions } = describe({ db: { find: tool({ description: 'Finds', inputSchema, execute }) } });
  assert.equal(tools[0].signature, 'db.find(input: { id: number }): Promise<any>');
  await assert.rejects(functions.db.find({}), /input\.id is missing/);
});
