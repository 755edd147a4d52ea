// The tools of other servers as functions of programs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { connect, FIXTURE, SERVER } from './client.js';

const execute = promisify(execFile);
const FILESYSTEM = fileURLToPath(new URL('../../node_modules/.bin/mcp-server-filesystem', import.meta.url));
const connectTo = (name, ...args) => ['--connect', [`${name}=${process.execPath}`, FIXTURE, ...args].join(' ')];

test('programs call the tools of another server', async (t) => {
  const { client, run, value, describe, call } = await connect(t, connectTo('my-server'));

  await t.test('a model is shown their declarations', async () => {
    const { description } = (await describe()).run_javascript;
    assert.match(description, /declare const tools: \{\n {2}my_server: \{\n/);
    assert.match(description, /\/\*\* Adds two numbers\. \*\/\n {4}add_numbers\(input: \{\n {6}a: number;\n/);
    assert.ok(description.includes('/** The second *\\/ */'));
    assert.match(description, /add_numbers_2\(input\?: Record<string, unknown>\): Promise<any>;/);
  });

  await t.test('they get data, text that is JSON parsed, text, or parts', async () => {
    const program = `
      const { add_numbers, add_numbers_2, rows, picture } = tools.my_server;
      return Promise.all([add_numbers({ a: 1, b: 2 }), add_numbers_2(), rows(), picture(), tools.my_server.then_(), tools.my_server.__proto__tool()]);
    `;
    assert.deepEqual(await value(program), [
      { sum: 3 },
      'the other one',
      [{ id: 1 }, { id: 2 }],
      [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }],
      'then',
      'fine',
    ]);
    assert.equal((await run('return (await tools.my_server.rows()).length'))._meta['hyperlight/receipt'].toolCalls, 1);
  });

  await t.test('what is wrong with a call is an error that they can catch', async () => {
    const program = `
      const calls = [
        () => tools.my_server.add_numbers({ a: '1' }),
        () => tools.my_server.add_numbers(1, 2),
        () => tools.my_server.addition(),
        () => tools.other.rows(),
        () => tools.my_server.constructor(),
        () => tools.constructor.constructor('return process'),
        () => tools.my_server.fail(),
        () => hyperlight_tools.call(),
        () => hyperlight_tools.call('my_server', 'add_numbers', { length: 1 }),
        () => hyperlight_tools.call({}, [], []),
      ];
      return Promise.all(calls.map((call) => call().catch((error) => error.message)));
    `;
    const messages = await value(program);
    for (const [i, expected] of [
      /^tools\.my_server\.add_numbers: input\.b is missing\. It is called as tools\.my_server\.add_numbers\(input: /,
      /it takes one argument, an object, not 2/,
      /^there is no tools\.my_server\.addition/,
      /^there is no tools\.other\.rows; there is tools\.my_server\.rows/,
      /^there is no tools\.my_server\.constructor/,
      /^there is no tools\.constructor\.constructor/,
      /^the disk is full$/,
      /no call of a tool/,
      /no call of a tool/,
      /no call of a tool/,
    ].entries()) {
      assert.match(messages[i], expected);
    }
    // A result that does not fit into the guest.
    assert.match(await value('return tools.my_server.large().catch((error) => error.message)'), /./);
  });

  await t.test('tools and what is on the way are not promises', async () => {
    assert.deepEqual(await value('return [await tools, await tools.my_server].map((o) => typeof o)'), [
      'object',
      'object',
    ]);
    assert.equal(await value('try { tools = 1 } catch (error) { return error.name }'), 'TypeError');
  });

  await t.test('calls are counted, and end with their program', async () => {
    const failed = await run('for (let i = 0; i <= 100; i++) await tools.my_server.rows(); return 1');
    assert.match(failed.content[0].text, /the call has made 100 calls of host functions already/);
    const program =
      'const late = new Promise((resolve) => setTimeout(resolve, 100, 1)); return Promise.race([tools.my_server.wait(), late])';
    assert.equal(await value(program), 1);
    for (let i = 0; (await value('return tools.my_server.cancelled()')).length === 0; i++) assert.ok(i < 100);
  });

  await t.test('search_tools returns declarations', async () => {
    const search = async (input) => (await call('search_tools', input)).content[0].text;
    const text = await search({ query: 'add numbers', limit: 1 });
    assert.match(text, /^declare const tools: \{\n {2}my_server: \{\n {4}\/\*\* Adds two numbers\. \*\/\n/);
    assert.doesNotMatch(text, /rows/);
    assert.match(await search({ query: 'zebra' }), /^None of 12 functions matches/);
    for (const input of [{}, { query: 7 }, { query: 'a', limit: 0 }, { query: 'a', limit: 51 }]) {
      assert.ok((await call('search_tools', input)).isError);
    }
  });

  await t.test('a tool that is new can be called', async () => {
    const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, resolve));
    await run('return tools.my_server.learn()');
    await changed;
    assert.equal(await value('return tools.my_server.learned()'), 'new');
    assert.match((await describe()).run_javascript.description, /Was not there at first/);
  });

  await t.test('a server that has gone is an error of the call', async () => {
    assert.match(await value('return tools.my_server.crash().catch((error) => error.message)'), /closed/i);
    assert.match(await value('return tools.my_server.rows().catch((error) => error.message)'), /./);
    assert.equal(await value('return 1'), 1);
  });
});

test('a thousand tools are not in the description, but found', async (t) => {
  const { value, describe, call } = await connect(t, [...connectTo('many', '1000'), ...connectTo('few')]);
  const { description } = (await describe()).run_javascript;
  assert.ok(description.length < 2000);
  assert.match(description, /tools\.many \(1012 functions\), tools\.few \(12 functions\)/);
  const { content } = await call('search_tools', { query: 'thing number 777' });
  assert.match(content[0].text, /tool_777\(/);
  assert.equal(await value('return tools.many.tool_777()'), 'thing 777');
  assert.deepEqual(await value('return tools.few.add_numbers({ a: 1, b: 1 })'), { sum: 2 });
});

test('--config has servers with commands and URLs', async (t) => {
  const http = createServer(async (request, response) => {
    const server = new McpServer({ name: 'web', version: '1.0.0' });
    server.registerTool('secret', { description: 'Says what it was sent' }, () => ({
      content: [{ type: 'text', text: request.headers.authorization }],
    }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(request, response);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  const folder = mkdtempSync(join(tmpdir(), 'mcp-server-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'mcp.json');
  const mcpServers = {
    local: { command: process.execPath, args: [FIXTURE] },
    web: { url: `http://127.0.0.1:${http.address().port}/mcp`, headers: { authorization: 'Bearer abc' } },
  };
  writeFileSync(config, JSON.stringify({ mcpServers }));
  const { value } = await connect(t, ['--config', config, '--max-tool-calls', '2']);
  assert.deepEqual(await value('return [await tools.web.secret(), await tools.local.rows()]'), [
    'Bearer abc',
    [{ id: 1 }, { id: 2 }],
  ]);
});

test("programs use others' servers: the one for files of the protocol's authors", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-server-')));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = Array.from({ length: 20 }, (_, i) => join(folder, `${i}.txt`));
  for (const [i, file] of files.entries()) writeFileSync(file, `text ${i}`);
  const command = `files=${process.execPath} ${FILESYSTEM} ${folder}`;
  const { value, errors } = await connect(t, ['--connect', command]);
  const read = (paths) => `
    const read = (path) => tools.files.read_text_file({ path }).then(({ content }) => content, (error) => error.message);
    return Promise.all(${JSON.stringify(paths)}.map(read));
  `;
  assert.deepEqual(
    await value(read(files)),
    files.map((_, i) => `text ${i}`),
  );
  assert.match((await value(read(['/etc/passwd'])))[0], /Access denied/);
  assert.doesNotMatch(errors(), /Warning/);
});

test('a server that cannot be used ends the start', async () => {
  for (const command of [`x=${process.execPath} -e process.exit(3)`, 'x=/does/not/exist', 'x=http://127.0.0.1:1/mcp']) {
    const error = await execute(process.execPath, [SERVER, '--connect', command]).catch((error) => error);
    assert.equal(error.code, 1, command);
    assert.match(error.stderr, /the server x cannot be used/);
  }
  const silent = ['--connect', `x=${process.execPath} -e setTimeout(()=>{},60000)`, '--connect-timeout-ms', '200'];
  assert.equal((await execute(process.execPath, [SERVER, ...silent]).catch((error) => error)).code, 1);
});
