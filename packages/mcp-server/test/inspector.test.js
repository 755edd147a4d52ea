// The MCP Inspector's command line with this server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programOf, UNAVAILABLE } from '../../../scripts/node-versions.mjs';
import { SERVER } from './client.js';

const execute = promisify(execFile);
const INSPECTOR = fileURLToPath(new URL('../../node_modules/.bin/mcp-inspector', import.meta.url));
/** The Inspector needs 22.19; the server runs with the Node.js of the tests. */
const NODE = programOf(24);

async function inspect(...args) {
  const { stdout } = await execute(NODE, [INSPECTOR, '--cli', process.execPath, SERVER, '--method', ...args]);
  return JSON.parse(stdout);
}

test('the Inspector lists and calls the tool', { skip: UNAVAILABLE }, async () => {
  const { tools } = await inspect('tools/list');
  assert.deepEqual(
    tools.map(({ name, inputSchema }) => [name, inputSchema.required]),
    [['run_javascript', ['code']]],
  );
  const { content } = await inspect('tools/call', '--tool-name', 'run_javascript', '--tool-arg', 'code=return 6 * 7');
  assert.deepEqual(content, [{ type: 'text', text: '42' }]);
});
