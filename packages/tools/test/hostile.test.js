// Lists of tools from servers that are not trusted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '@hyperlight/tools';

const one = (tool) => describe([tool], { call: (_, input) => input });
const nested = (levels, inner, wrap) => Array.from({ length: levels }).reduce(wrap, inner);

test('names become identifiers that are distinct and are no names of every object', () => {
  const names = [
    'get-it',
    'get_it',
    'get it',
    '',
    '7',
    'then',
    'toJSON',
    '__proto__',
    'constructor',
    'delete',
    '名前',
    'a\u202eb',
    'x'.repeat(1000),
  ];
  const { tools, functions } = describe(
    names.map((name) => ({ name })),
    { module: 'delete', call: () => 1 },
  );
  assert.deepEqual(
    tools.map(({ name }) => name),
    [
      'get_it',
      'get_it_2',
      'get_it_3',
      '_',
      '_7',
      'then_',
      'toJSON_',
      '__proto___',
      'constructor_',
      'delete',
      '名前',
      'a_b',
      'x'.repeat(64),
    ],
  );
  assert.deepEqual(
    tools.map(({ originalName }) => originalName),
    names,
  );
  // A variable cannot be called `delete`.
  assert.deepEqual(Object.keys(functions), ['delete_']);
  assert.equal(Object.getPrototypeOf(functions), null);
  assert.equal(Object.keys(functions.delete_).length, names.length);
});

test('nothing gets out of a comment or a literal', () => {
  const evil = '*/ evil() /*\u2028evil()\r\n\u202e\u0000\u001b[2J';
  const { declarations } = one({
    name: 'f',
    description: evil,
    inputSchema: {
      properties: { [evil]: { description: evil, const: evil }, ok: { enum: [evil], default: evil, format: evil } },
    },
  });
  const code = declarations.replaceAll(/\/\*\*[\s\S]*?\*\//g, '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  assert.doesNotMatch(code, /evil/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
  assert.doesNotMatch(declarations, /[\u0000-\u0009\u000b-\u001f\u2028\u202e]/);
});

test('a schema of any size or depth has a declaration of a bounded size', async () => {
  const wide = {
    properties: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`property${i}`, { type: 'string' }])),
  };
  const deep = nested(10_000, {}, (inner) => ({ properties: { a: inner } }));
  const unions = nested(30, {}, (inner) => ({ anyOf: [inner, inner, inner] }));
  const references = {
    $ref: '#/$defs/0',
    $defs: Array.from({ length: 40 }, (_, i) => ({
      allOf: [{ $ref: `#/$defs/${i + 1}` }, { $ref: `#/$defs/${i + 1}` }],
    })),
  };
  const circle = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
  const words = { enum: Array.from({ length: 100_000 }, (_, i) => `value ${i}`) };
  const long = { enum: Array.from({ length: 100 }, (_, i) => 'x'.repeat(1000) + i) };
  for (const inputSchema of [wide, deep, unions, references, circle, words]) {
    const description = one({ name: 'f', description: 'y'.repeat(100_000), inputSchema });
    assert.ok(description.declarations.length < 10_000);
    assert.deepEqual(await description.functions.tools.f({ a: 1 }), { a: 1 });
  }
  const { declarations, functions } = one({ name: 'f', inputSchema: long });
  assert.match(declarations, /f\(input: any\): Promise<any>;/);
  await assert.rejects(functions.tools.f('x'), ({ message }) => message.length <= 2000);
});

test('what a reduced schema cannot say is left to the server', async () => {
  for (const inputSchema of [
    { properties: { a: { type: 'string', pattern: '^(x+)+$' } } },
    { patternProperties: { '^a': {} }, additionalProperties: false },
    { not: {} },
    { properties: { a: { uniqueItems: true, contains: {} } } },
    JSON.parse('{ "if": {}, "then": false }'),
    { minLength: -1, minimum: 'x', required: 'a', enum: {}, anyOf: [], type: 'text' },
    { properties: [] },
    { $ref: 'file:///etc/passwd' },
    { $ref: '#/__proto__/x' },
    { $ref: '#/constructor/name' },
    { $async: true, $id: 'x', $schema: 'https://example.com/none' },
    7,
    'string',
    null,
  ]) {
    const { functions } = one({ name: 'f', inputSchema });
    const input = { a: `${'x'.repeat(40)}!` };
    assert.deepEqual(await functions.tools.f(input), input, JSON.stringify(inputSchema));
  }
});

test('what a reduced schema says is checked, with own properties only', async () => {
  const inputSchema = JSON.parse(
    '{ "properties": { "__proto__": { "type": "number" }, "a": { "type": "string" } }, "required": ["toString", "__proto__"], "additionalProperties": false }',
  );
  const { functions } = one({ name: 'f', inputSchema });
  const { f } = functions.tools;
  await assert.rejects(f({}), /input\.toString is missing/);
  await assert.rejects(f({ toString: 1, a: 'x' }), /has no property "toString"/);
  await assert.rejects(f(JSON.parse('{ "__proto__": 1 }')), { code: 'ERR_TOOL_INPUT' });
});

test('an input that would take long to check is left to the server', async () => {
  const inputSchema = { type: 'array', items: { anyOf: Array.from({ length: 100 }, (_, i) => ({ const: i })) } };
  const { functions } = one({ name: 'f', inputSchema });
  await assert.rejects(functions.tools.f(['no']), { code: 'ERR_TOOL_INPUT' });
  const large = Array.from({ length: 100_000 }, () => 'no');
  assert.equal(await functions.tools.f(large), large);
});
