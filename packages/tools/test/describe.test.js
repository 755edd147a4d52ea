import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '@hyperlight/js-host-api';
import { describe, ToolInputError } from '@hyperlight/tools';

const find = {
  description: 'Finds a row.\nBy its number.',
  inputSchema: {
    type: 'object',
    properties: {
      id: { type: 'integer', description: 'Its number', minimum: 1 },
      'sort by': { enum: ['name', 'age', null], default: 'name' },
      tags: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
    },
    required: ['id'],
    additionalProperties: false,
  },
  outputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  execute: async ({ id }) => ({ name: `row ${id}` }),
};
const CALL = 'find(input: { id: number; "sort by"?: "name" | "age" | null; tags?: (string | number)[] })';

test('a model is shown TypeScript with comments', () => {
  const { declarations } = describe({ db: { find, count: async () => 7 }, math: { add: (a, b) => a + b } });
  assert.equal(
    declarations,
    `declare const db: {
  /**
   * Finds a row.
   * By its number.
   */
  find(input: {
    /** Its number (an integer, at least 1) */
    id: number;
    /** (default "name") */
    "sort by"?: "name" | "age" | null;
    tags?: (string | number)[];
  }): Promise<{
    name: string;
  }>;
  count(...args: any[]): Promise<any>;
};
declare const math: {
  add(...args: any[]): Promise<any>;
};`,
  );
});

test('a program calls the tools, and reads what is wrong with a call', async () => {
  const { functions } = describe({ db: { find, count: async () => 7 } });
  const source = `
    const wrong = [[], [{ id: '7' }], [{ id: 1, of: 2 }], [{ id: 0 }], [1, 2], [{ id: 1, 'sort by': 'x' }], [{ id: 1, tags: [[]] }], [null]];
    const messages = await Promise.all(wrong.map((args) => db.find(...args).catch((error) => [error.message, error.code])));
    return [await db.find({ id: 1 }), await db.count(), messages];
  `;
  const { value } = await run(source, { functions, wallClockTimeoutMs: 60_000 });
  const [row, count, messages] = value;
  assert.deepEqual([row, count], [{ name: 'row 1' }, 7]);
  const told = (problem) => [
    `db.find: ${problem}. It is called as db.${CALL}: Promise<{ name: string }>`,
    'ERR_TOOL_INPUT',
  ];
  assert.deepEqual(messages, [
    told('input.id is missing'),
    told('input.id must be an integer, not the string "7"'),
    told('input has no property "of"; those that it has: "id", "sort by", "tags"'),
    told('input.id must be >= 1'),
    told('it takes one argument, an object, not 2'),
    told('input["sort by"] must be one of "name", "age", null, not the string "x"'),
    told('input.tags[0] must be a string, not an array'),
    told('input must be an object, not null'),
  ]);
});

test('a schema alone, or a list with a function that calls, is a tool as well', async () => {
  const { inputSchema: schema } = find;
  const calls = [];
  const call = (tool, input) => calls.push([tool.originalModule, tool.originalName, input]);
  const bare = describe({ db: { find: schema } }, { call });
  assert.equal(await bare.functions.db.find({ id: 2 }), 1);
  const listed = describe([{ name: 'find-row', inputSchema: schema }], { module: 'my db', under: 'tools', call });
  assert.match(listed.declarations, /^declare const tools: \{\n {2}my_db: \{\n {4}find_row\(input: \{/);
  assert.equal(listed.find('tools.my_db.find_row'), listed.tools[0]);
  await listed.functions.my_db.find_row({ id: 3 });
  await assert.rejects(listed.functions.my_db.find_row({}), ToolInputError);
  assert.deepEqual(calls, [
    ['db', 'find', { id: 2 }],
    ['my db', 'find-row', { id: 3 }],
  ]);
});

test('a check gives the arguments or what is wrong', async () => {
  const { tools } = describe({ db: { find } });
  assert.deepEqual(await tools[0].check([{ id: 1 }]), [{ id: 1 }]);
  const error = await tools[0].check([{}]).catch((error) => error);
  assert.deepEqual([error.name, error.code, error.tool], ['ToolInputError', 'ERR_TOOL_INPUT', 'db.find']);
});

test('what is no tool is refused', () => {
  for (const tools of [
    undefined,
    7,
    'db',
    [{ description: 'no name' }],
    { db: 7 },
    { db: { find: 7 } },
    { db: { find: { execute: 7 } } },
    { db: { find: { inputSchema: 'string' } } },
    { db: { find: { inputSchema: { type: 'text' } } } },
    { db: { find: { inputSchema: { $ref: 'https://example.com/schema' } } } },
    { db: Array.from({ length: 10_001 }, (_, i) => ({ name: `tool${i}` })) },
  ]) {
    assert.throws(() => describe(tools), { code: 'ERR_INVALID_ARG' }, JSON.stringify(tools)?.slice(0, 100));
  }
});

test('only own enumerable properties count', () => {
  class Tools {
    own = async () => 1;
    inherited() {}
  }
  assert.deepEqual(
    describe({ db: new Tools() }).tools.map(({ path }) => path),
    ['db.own'],
  );
});

test('types follow the schema', () => {
  const typeOf = (schema) =>
    describe({ m: { f: { inputSchema: schema } } }).tools[0].signature.match(
      /^m\.f\(input\??: (.*)\): Promise<any>$/,
    )?.[1];
  for (const [schema, type] of [
    [true, 'unknown'],
    [false, 'never'],
    [{}, 'unknown'],
    [{ type: 'object' }, 'Record<string, unknown>'],
    [{ type: 'object', additionalProperties: false }, '{}'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ properties: { a: {} }, additionalProperties: { type: 'null' } }, '{ a?: unknown } & Record<string, null>'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ type: 'string', nullable: true }, 'string | null'],
    [{ const: 'a' }, '"a"'],
    [{ type: 'array' }, 'unknown[]'],
    [{ prefixItems: [{ type: 'string' }, { type: 'number' }], items: false }, '[string, number]'],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'array', items: [{ type: 'string' }] },
      '[string, ...unknown[]]',
    ],
    [{ oneOf: [{ type: 'string' }, { type: 'array', items: { enum: [1, 2] } }] }, 'string | (1 | 2)[]'],
    [
      { allOf: [{ properties: { a: { type: 'string' } } }, { anyOf: [{ const: 1 }, { const: 2 }] }] },
      '{ a?: string } & (1 | 2)',
    ],
    [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'boolean' } } }, 'boolean'],
    [
      { $ref: '#/definitions/list', definitions: { list: { properties: { next: { $ref: '#/definitions/list' } } } } },
      '{ next?: unknown }',
    ],
  ]) {
    assert.equal(typeOf(schema), type, JSON.stringify(schema));
  }
});

test('a search finds tools by the words of their names, comments and properties', () => {
  const { search, tools } = bound(
    describe(
      [
        { name: 'createIssue', description: 'Opens a ticket' },
        { name: 'list_issues', description: 'All tickets of a project' },
        { name: 'weather', inputSchema: { properties: { city: { type: 'string' } } } },
      ],
      { module: 'github' },
    ),
  );
  const found = (query, options) => search(query, options).map(({ name }) => name);
  assert.deepEqual(found('create issue'), ['createIssue', 'list_issues']);
  assert.deepEqual(found('issues'), ['list_issues', 'createIssue']);
  assert.deepEqual(found('TICKET'), ['createIssue', 'list_issues']);
  assert.deepEqual(found('city'), ['weather']);
  assert.deepEqual(found('github', { limit: 2 }), ['createIssue', 'list_issues']);
  assert.deepEqual(found(''), []);
  assert.deepEqual(found('zebra'), []);
  assert.equal(tools.length, 3);
});

const bound = (description) => ({ tools: description.tools, search: description.search.bind(description) });
