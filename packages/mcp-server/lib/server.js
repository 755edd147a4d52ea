// The MCP server: its tools, and what happens when they are called.
import { setMaxListeners } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { describe } from '@hyperlight/tools';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import { Programs } from './programs.js';
import { failure, replyOf, replyOfError } from './reply.js';
import { Servers } from './servers.js';

const SEARCH = 'search_tools';
const MAX_FOUND = 50;

export class McpServer {
  #options;
  #warn;
  #programs;
  #servers = new Servers();
  #info;
  #server;
  /** Checks what the tools are called with. */
  #inputs;

  constructor(options, { version, warn }) {
    this.#options = options;
    this.#warn = warn;
    this.#programs = new Programs(options);
    this.#info = { name: 'hyperlight-js-sandbox', version };
    const hasServers = options.servers.size > 0;
    this.#server = new Server(this.#info, { capabilities: { tools: { listChanged: hasServers } } });
    this.#server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: this.#tools() }));
    this.#server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) => this.#call(params, signal));
    this.#server.onerror = (error) => warn(error.message);
    const own = describe({ own: Object.fromEntries(this.#tools().map((tool) => [tool.name, tool])) });
    this.#inputs = new Map(own.tools.map((tool) => [tool.originalName, tool]));
  }

  /** `onEnd` is called when the client has gone. */
  async start(transport, onEnd) {
    this.#server.onclose = onEnd;
    const { servers, connectTimeoutMs } = this.#options;
    await this.#servers.connect(servers, { info: this.#info, timeoutMs: connectTimeoutMs, warn: this.#warn });
    this.#servers.onChange = () => this.#server.sendToolListChanged().catch((error) => this.#warn(error.message));
    await this.#server.connect(transport);
  }

  async close() {
    await Promise.allSettled([this.#servers.close(), this.#server.close()]);
    await this.#programs.close();
  }

  #tools() {
    const code = { type: 'string', description: 'The program. Example: const sum = 2 + 2; return { sum };' };
    const run = {
      name: this.#options.toolName,
      title: 'Run JavaScript',
      description: this.#describeRun(),
      inputSchema: { type: 'object', properties: { code }, required: ['code'], additionalProperties: false },
    };
    return this.#options.servers.size > 0 ? [run, this.#searchTool()] : [run];
  }

  #describeRun() {
    const { cpuTimeoutMs, wallClockTimeoutMs, heapMib, scratchMib, fetch } = this.#options;
    const network = fetch
      ? `By fetch it can GET from ${fetch.allow.join(', ')} only.`
      : 'There is no network and no fetch.';
    const text = `Runs a JavaScript program in a Hyperlight micro-VM of its own, and returns its value as JSON.

The program is the body of an async function: use await, and return the value. console.log is returned beside it. It may be TypeScript.
Limits: ${cpuTimeoutMs}ms of processor time, ${wallClockTimeoutMs}ms in all, ${heapMib}MB of heap, ${scratchMib}MB of scratch memory.
It has ECMAScript 2025, timers, URL, TextEncoder, crypto and console. ${network} There are no files, no npm packages, no DOM.
Nothing is kept between programs.`;
    return this.#options.servers.size > 0 ? `${text}\n\n${this.#describeTools()}` : text;
  }

  #describeTools() {
    const { maxDeclarationsBytes, maxToolCalls } = this.#options;
    const { declarations, tools } = this.#servers.description;
    const head = `The program can call these functions, ${maxToolCalls} times in all. Combine their results in the program instead of returning them:`;
    if (Buffer.byteLength(declarations) <= maxDeclarationsBytes) return `${head}\n\n${declarations}`;
    const counts = new Map();
    for (const { module } of tools) counts.set(module, (counts.get(module) ?? 0) + 1);
    const list = [...counts].map(([module, count]) => `tools.${module} (${count} functions)`).join(', ');
    return `${head} ${list}. Use ${SEARCH} first: it returns the declarations of those that you need.`;
  }

  #searchTool() {
    return {
      name: SEARCH,
      title: 'Search for functions',
      description: `Returns TypeScript declarations of the functions that programs of ${this.#options.toolName} can call, those first that match the words best.`,
      inputSchema: {
        type: 'object',
        properties: {
          query: { type: 'string', description: 'Words of names and descriptions, such as: create issue' },
          limit: { type: 'integer', minimum: 1, maximum: MAX_FOUND, default: 10 },
        },
        required: ['query'],
        additionalProperties: false,
      },
    };
  }

  async #call({ name, arguments: input = {} }, signal) {
    const tool = this.#inputs.get(name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `there is no tool ${name}`);
    try {
      await tool.check([input]);
    } catch (error) {
      return failure(error.message);
    }
    return name === SEARCH ? this.#search(input) : this.#run(input.code, signal);
  }

  #search({ query, limit = 10 }) {
    const { description } = this.#servers;
    const found = description.search(query, { limit });
    const text =
      found.length > 0
        ? description.declare(found)
        : `None of ${description.tools.length} functions matches. Try other words.`;
    return { content: [{ type: 'text', text }] };
  }

  async #run(code, signal) {
    const begun = performance.now();
    const { codeLog } = this.#options;
    if (codeLog) await this.#log(codeLog, `\n// ${new Date().toISOString()}\n${code}\n`);
    let initMs = 0;
    let executeMs = 0;
    // Calls of tools end with the program, however it ends.
    const running = new AbortController();
    const ended = AbortSignal.any([signal, running.signal]);
    // Each call of a tool listens to it.
    setMaxListeners(0, ended);
    const call = this.#caller(ended);
    try {
      initMs = await this.#programs.start();
      const entered = performance.now();
      try {
        return replyOf(await this.#programs.run(code, { call, signal }), this.#options);
      } finally {
        executeMs = performance.now() - entered;
        running.abort();
      }
    } catch (error) {
      return replyOfError(error, this.#options);
    } finally {
      await this.#logTiming({ initMs, executeMs, totalMs: performance.now() - begun });
    }
  }

  /** What the tools of one program call. */
  #caller(signal) {
    const { servers, wallClockTimeoutMs } = this.#options;
    if (servers.size === 0) return undefined;
    return (server, name, args) => this.#servers.call(server, name, args, { signal, timeoutMs: wallClockTimeoutMs });
  }

  /** Setting up, compiling and snapshots are parts of the execution here; the names are those of hyperlight-js's example. */
  async #logTiming(times) {
    const { timingLog } = this.#options;
    if (!timingLog) return;
    const record = { initMs: 0, setupMs: 0, compileMs: 0, executeMs: 0, snapshotMs: 0, totalMs: 0 };
    for (const [name, ms] of Object.entries(times)) record[name] = Math.ceil(ms);
    await this.#log(timingLog, `${JSON.stringify(record)}\n`);
  }

  async #log(file, text) {
    await appendFile(file, text).catch((error) => this.#warn(`the log cannot be written: ${error.message}`));
  }
}
