// The other MCP servers. They are configured by who starts this one, but what they say is not trusted.

import { describe } from '@hyperlight/tools';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  ListToolsResultSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { boundedFetch } from './bounded-fetch.js';

const MAX_TOOLS = 2000;
const MAX_PAGES = 100;
/** Of a tool as JSON; one that is larger is left out. */
const MAX_TOOL_BYTES = 64 * 1024;
const MAX_ERROR = 4096;
/** The least time between two lists of a server that says again and again that they change. */
const REFRESH_MS = 1000;

export class Servers {
  #clients = new Map();
  #lists = new Map();
  /** Processes that have been started and have not ended. */
  #processes = new Set();
  #closed = false;
  /** What the programs can call. */
  description = describe({}, { under: 'tools' });
  onChange = () => {};

  /** Resolves when all of them have said which tools they have; rejects if one does not. */
  async connect(servers, { info, timeoutMs, warn }) {
    await Promise.all(
      [...servers].map(async ([name, server]) => {
        const client = new Client(info);
        this.#clients.set(name, client);
        client.onerror = (error) => warn(`${name}: ${error.message}`);
        client.onclose = () => !this.#closed && warn(`${name} has gone`);
        try {
          await client.connect(this.#transportTo(server), { timeout: timeoutMs });
          await this.#list(name, client, timeoutMs, warn);
        } catch (error) {
          throw new Error(`the server ${name} cannot be used: ${error.message}`, { cause: error });
        }
        this.#followChanges(name, client, timeoutMs, warn);
      }),
    );
    this.#describe();
  }

  async #list(name, client, timeout, warn) {
    const tools = [];
    let cursor;
    for (let page = 0; page < MAX_PAGES; page++) {
      // Not `listTools()`, which compiles what the server says of its results.
      const result = await client.request({ method: 'tools/list', params: { cursor } }, ListToolsResultSchema, {
        timeout,
      });
      for (const tool of result.tools) {
        if (tools.length === MAX_TOOLS) return this.#keep(name, tools, warn, `it has more than ${MAX_TOOLS} tools`);
        if (JSON.stringify(tool).length > MAX_TOOL_BYTES)
          warn(`${name}: a tool is left out, as its description is too large`);
        else tools.push(tool);
      }
      cursor = result.nextCursor;
      if (cursor === undefined) return this.#keep(name, tools);
    }
    return this.#keep(name, tools, warn, `its list has more than ${MAX_PAGES} pages`);
  }

  #keep(name, tools, warn, problem) {
    if (problem) warn(`${name}: ${problem}; the others are left out`);
    this.#lists.set(name, tools);
  }

  #describe() {
    // In the order in which they were configured.
    const lists = [...this.#clients.keys()].map((name) => [name, this.#lists.get(name) ?? []]);
    this.description = describe(Object.fromEntries(lists), { under: 'tools' });
  }

  #followChanges(name, client, timeoutMs, warn) {
    let isListing = false;
    let hasChanged = false;
    client.setNotificationHandler(ToolListChangedNotificationSchema, async () => {
      hasChanged = true;
      if (isListing) return;
      isListing = true;
      while (hasChanged && !this.#closed) {
        hasChanged = false;
        try {
          await this.#list(name, client, timeoutMs, warn);
          this.#describe();
          this.onChange();
        } catch (error) {
          warn(`${name}: its tools cannot be listed: ${error.message}`);
        }
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS).unref());
      }
      isListing = false;
    });
  }

  /** Calls a tool by the names that a program has for it; what they are comes from the program, and may be anything. */
  async call(server, name, args, { signal, timeoutMs }) {
    if (typeof server !== 'string' || typeof name !== 'string' || !Array.isArray(args))
      throw new TypeError('this is no call of a tool');
    const tool = this.description.find(`tools.${server}.${name}`);
    if (!tool) throw new ReferenceError(this.#noSuchTool(server, name));
    const [input] = await tool.check(args);
    const params = { name: tool.originalName, arguments: input };
    const client = this.#clients.get(tool.originalModule);
    return resultOf(
      await client.request({ method: 'tools/call', params }, CallToolResultSchema, { signal, timeout: timeoutMs }),
    );
  }

  #noSuchTool(server, name) {
    const near = this.description.search(`${server} ${name}`, { limit: 3 }).map(({ path }) => path);
    const hint = near.length > 0 ? `; there is ${near.join(', ')}` : '';
    return `there is no tools.${server.slice(0, 64)}.${name.slice(0, 64)}${hint}`;
  }

  #transportTo({ url, headers, command, args, env, cwd }) {
    if (url) return new StreamableHTTPClientTransport(url, { requestInit: { headers }, fetch: boundedFetch });
    const transport = new StdioClientTransport({ command, args, env, cwd, stderr: 'inherit' });
    const start = transport.start.bind(transport);
    transport.start = async () => {
      await start();
      const { pid } = transport;
      this.#processes.add(pid);
      transport.onclose = beside(transport.onclose, () => this.#processes.delete(pid));
    };
    return transport;
  }

  /** Ends them; one that does not end when it is asked to is killed. */
  async close() {
    this.#closed = true;
    await Promise.allSettled([...this.#clients.values()].map((client) => client.close()));
    for (const pid of this.#processes) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
}

function beside(first, second) {
  return () => {
    second();
    first?.();
  };
}

/** What a program gets: data if the server has sent data, else the text, else the parts of the content. */
function resultOf({ content, structuredContent, isError }) {
  const texts = content.filter(({ type }) => type === 'text').map(({ text }) => text);
  if (isError) throw new Error(texts.join('\n').slice(0, MAX_ERROR) || 'the tool has failed');
  if (structuredContent !== undefined) return structuredContent;
  if (texts.length !== content.length) return content;
  const text = texts.join('\n');
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
