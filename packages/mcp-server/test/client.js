// A client of the server, over a pipe.
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const pathOf = (file) => fileURLToPath(new URL(file, import.meta.url));
export const SERVER = pathOf('../bin/hyperlight-mcp-server.js');
export const FIXTURE = pathOf('fixture-server.js');

/** Starts the server; `closed` is its end. */
export async function connect(t, args = [], env = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [SERVER, ...args],
    env: { ...process.env, ...env },
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  let errors = '';
  transport.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  t.after(() => client.close());
  await client.connect(transport);
  const call = (name, input, options) => client.callTool({ name, arguments: input }, undefined, options);
  return {
    client,
    call,
    pid: transport.pid,
    errors: () => errors,
    describe: async () => Object.fromEntries((await client.listTools()).tools.map((tool) => [tool.name, tool])),
    run: (code, options) => call('run_javascript', { code }, options),
    /** The value of a program. */
    value: async (code) => JSON.parse((await call('run_javascript', { code })).content[0].text),
  };
}
