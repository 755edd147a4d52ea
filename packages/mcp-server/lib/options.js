// What the command line and the environment say.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SandboxBuilder } from '@hyperlight/js-host-api';

const MIB = 1024 * 1024;

/** Numbers: their default, range, unit for the help, and the variable of the environment that is heard if the flag is not given. */
const NUMBERS = {
  'cpu-timeout-ms': {
    from: 1,
    to: 86_400_000,
    normally: 1000,
    variables: ['HYPERLIGHT_CPU_TIMEOUT_MS'],
    help: 'processor time of a program',
  },
  'wall-clock-timeout-ms': {
    from: 1,
    to: 86_400_000,
    normally: 5000,
    connected: 60_000,
    variables: ['HYPERLIGHT_WALL_TIMEOUT_MS'],
    help: 'time of a program, waiting included',
  },
  'heap-mib': { from: 1, to: 1024, normally: 16, variables: ['HYPERLIGHT_HEAP_SIZE_MB'], help: 'memory of a program' },
  'scratch-mib': {
    from: 1,
    to: 64,
    normally: 1,
    variables: ['HYPERLIGHT_SCRATCH_SIZE_MB', 'HYPERLIGHT_STACK_SIZE_MB'],
    help: 'further memory: half a MiB, and the stack',
  },
  'pool-size': { from: 1, to: 1024, normally: 2, help: 'programs that run at the same time' },
  'max-queue': { from: 0, to: 1_000_000, normally: 100, help: 'programs that wait' },
  'max-result-bytes': { from: 1, to: 64 * MIB, normally: 256 * 1024, help: 'size of a value' },
  'max-console-bytes': { from: 0, to: 16 * MIB, normally: 16 * 1024, help: 'size of the console of a program' },
  'max-tool-calls': { from: 0, to: 100_000, normally: 100, help: 'calls of tools by a program' },
  'max-declarations-bytes': {
    from: 0,
    to: 16 * MIB,
    normally: 16 * 1024,
    help: 'size of the declarations in the description; search_tools finds the rest',
  },
  'connect-timeout-ms': { from: 1, to: 600_000, normally: 30_000, help: 'time for a server to answer at the start' },
};
const TEXTS = {
  'tool-name': { normally: 'run_javascript', help: 'name of the tool' },
  'timing-log': {
    variables: ['HYPERLIGHT_TIMING_LOG'],
    help: 'file for a line of JSON about the time of each program',
  },
  'code-log': { variables: ['HYPERLIGHT_CODE_LOG'], help: 'file for each program' },
  config: { help: 'file with { "mcpServers": { NAME: { command, args, env, cwd } or { url, headers } } }' },
};
const TOOL_NAME = /^[\w.-]{1,64}$/;
const SERVER_NAME = /^[^\s=]{1,64}$/;

export const HELP = `hyperlight-mcp-server [options]

Serves the tool run_javascript over standard input and output: it runs programs, each in a micro-VM of its own.

  --connect NAME=COMMAND ARGUMENTS, --connect NAME=URL
                              another MCP server, whose tools are functions of the programs: tools.NAME.tool(input);
                              may be given several times
  --allow-origin ORIGIN       what programs can GET by fetch, such as https://example.com or https://*.example.com;
                              may be given several times
${[...Object.entries(TEXTS), ...Object.entries(NUMBERS)].map(helpOf).join('\n')}
  --help, --version
`;

/** What is wrong with the command line. */
export class UsageError extends Error {}

/** @param warn is told of variables that are left out. */
export function readOptions(args, environment, warn) {
  const names = [...Object.keys(NUMBERS), ...Object.keys(TEXTS)];
  const { values } = parse(args, {
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    connect: { type: 'string', multiple: true },
    'allow-origin': { type: 'string', multiple: true },
    help: { type: 'boolean' },
    version: { type: 'boolean' },
  });
  const { help, version } = values;
  if (help || version) return { help, version };
  const servers = new Map();
  if (values.config !== undefined) for (const [name, server] of readConfig(values.config)) add(servers, name, server);
  for (const text of values.connect ?? []) add(servers, ...readConnect(text));
  const options = { servers, fetch: readOrigins(values['allow-origin']) };
  for (const [name, number] of Object.entries(NUMBERS)) {
    const normally = servers.size > 0 ? (number.connected ?? number.normally) : number.normally;
    options[camelCase(name)] =
      values[name] === undefined ? fromEnvironment(number, normally) : flag(name, number, values[name]);
  }
  for (const [name, { normally, variables = [] }] of Object.entries(TEXTS)) {
    const found = [values[name], ...variables.map((variable) => environment[variable]), normally];
    options[camelCase(name)] = found.find((text) => text !== undefined && text !== '');
  }
  if (!TOOL_NAME.test(options.toolName)) throw new UsageError(`--tool-name: 1 to 64 letters, digits and _ . -`);
  if (options.toolName === 'search_tools') throw new UsageError('--tool-name: search_tools is another tool');
  return options;

  function fromEnvironment({ variables = [], from, to }, normally) {
    for (const variable of variables) {
      const text = environment[variable];
      if (text === undefined || text === '') continue;
      const number = wholeNumber(text, from, to);
      if (number !== undefined) return number;
      warn(`${variable}: ignoring invalid value "${text}", using default ${normally}`);
    }
    return normally;
  }
}

function parse(args, options) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function flag(name, { from, to }, text) {
  const number = wholeNumber(text, from, to);
  if (number === undefined) throw new UsageError(`--${name}: a whole number from ${from} to ${to}, not "${text}"`);
  return number;
}

function wholeNumber(text, from, to) {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return number >= from && number <= to ? number : undefined;
}

function add(servers, name, server) {
  if (!SERVER_NAME.test(name))
    throw new UsageError(`a server's name has 1 to 64 characters, no = and no spaces: "${name}"`);
  if (servers.has(name)) throw new UsageError(`there are two servers named ${name}`);
  servers.set(name, server);
}

/** Words are separated by spaces; what needs more goes into a file for --config. */
function readConnect(text) {
  const at = text.indexOf('=');
  const words = text
    .slice(at + 1)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (at < 1 || words.length === 0) throw new UsageError(`--connect: NAME=COMMAND or NAME=URL, not "${text}"`);
  const [command, ...args] = words;
  const name = text.slice(0, at);
  return [name, /^https?:/.test(command) ? { url: urlOf(command, name) } : { command, args }];
}

/** The policy of `fetch`, if something is allowed. */
function readOrigins(origins) {
  if (origins === undefined) return undefined;
  const policy = { allow: origins };
  try {
    new SandboxBuilder().allowFetch(policy);
  } catch (error) {
    throw new UsageError(`--allow-origin: ${error.message}`);
  }
  return policy;
}

function readConfig(file) {
  let servers;
  try {
    servers = JSON.parse(readFileSync(file, 'utf8')).mcpServers;
  } catch (error) {
    throw new UsageError(`--config: ${error.message}`);
  }
  if (!isRecord(servers)) throw new UsageError(`--config: ${file} has no "mcpServers"`);
  return Object.entries(servers).map(([name, server]) => [name, checkServer(name, server)]);
}

function checkServer(name, server) {
  const { command, args = [], env, cwd, url, headers } = isRecord(server) ? server : {};
  if (typeof url === 'string' && isTexts(headers)) return { url: urlOf(url, name), headers };
  const isCommand =
    typeof command === 'string' && Array.isArray(args) && args.every((text) => typeof text === 'string');
  if (isCommand && isTexts(env) && (cwd === undefined || typeof cwd === 'string')) return { command, args, env, cwd };
  throw new UsageError(`--config: ${name} needs a "command" with "args" and "env", or a "url" with "headers"`);
}

function urlOf(text, name) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`the URL of ${name} is none: ${text}`);
  return url;
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value) =>
  value === undefined || (isRecord(value) && Object.values(value).every((text) => typeof text === 'string'));
const camelCase = (name) => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());

function helpOf([name, { normally, connected, help, from, variables = [] }]) {
  const usual = normally === undefined ? '' : ` (${normally}${connected ? `, with --connect ${connected}` : ''})`;
  const heard = variables.length === 0 ? '' : `; or the variable ${variables[0]}`;
  return `  ${`--${name} ${from === undefined ? 'TEXT' : 'N'}`.padEnd(28)}${help}${usual}${heard}`;
}
