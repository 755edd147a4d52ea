// An MCP server to connect to: `node fixture-server.js`, or with a number, that many tools more.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const text = (text) => ({ content: [{ type: 'text', text }] });
const numbers = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number', description: 'The second */' } },
  required: ['a', 'b'],
};
const cancelled = [];
const TOOLS = {
  'add-numbers': {
    description: 'Adds two numbers.',
    inputSchema: numbers,
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
    call: ({ a, b }) => ({ ...text(String(a + b)), structuredContent: { sum: a + b } }),
  },
  add_numbers: { call: () => text('the other one') },
  rows: { call: () => text('[{"id":1},{"id":2}]') },
  picture: { call: () => ({ content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] }) },
  fail: { call: () => ({ ...text('the disk is full'), isError: true }) },
  crash: { call: () => process.exit(1) },
  large: { call: () => text('x'.repeat(2 * 1024 * 1024)) },
  // biome-ignore lint/suspicious/noThenProperty: servers can have such names
  then: { call: () => text('then') },
  __proto__tool: { description: 'Prototype', call: () => text('fine') },
  wait: {
    call: (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(cancelled.push('wait')))),
  },
  cancelled: { call: () => text(JSON.stringify(cancelled)) },
  learn: {
    call: async () => {
      TOOLS.learned = { description: 'Was not there at first', call: () => text('new') };
      await server.sendToolListChanged();
      return text('');
    },
  },
};
for (let i = 0; i < Number(process.argv[2] ?? 0); i++) {
  TOOLS[`tool_${i}`] = { description: `Makes the thing number ${i}`, call: () => text(`thing ${i}`) };
}

const server = new Server({ name: 'fixture', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
const PAGE = 700;
server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
  const from = Number(params?.cursor ?? 0);
  const names = Object.keys(TOOLS);
  const tools = names.slice(from, from + PAGE).map((name) => {
    const { description, inputSchema = { type: 'object' }, outputSchema } = TOOLS[name];
    return { name, description, inputSchema, outputSchema };
  });
  return { tools, nextCursor: from + PAGE < names.length ? String(from + PAGE) : undefined };
});
server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) =>
  TOOLS[params.name].call(params.arguments, signal),
);
await server.connect(new StdioServerTransport());
