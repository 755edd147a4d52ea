#!/usr/bin/env node
// Serves over standard input and output, so everything else goes to standard error.
import { readFileSync } from 'node:fs';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { HELP, readOptions, UsageError } from '../lib/options.js';
import { McpServer } from '../lib/server.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const warn = (text) => console.error(`[hyperlight] ${text}`);

try {
  const options = readOptions(process.argv.slice(2), process.env, warn);
  if (options.help) process.stdout.write(HELP);
  else if (options.version) console.log(version);
  else await serve(options);
} catch (error) {
  const isUsage = error instanceof UsageError || error.code === 'ERR_INVALID_ARG';
  warn(isUsage ? `${error.message}\n${HELP}` : error.message);
  process.exit(isUsage ? 2 : 1);
}

async function serve(options) {
  const server = new McpServer(options, { version, warn });
  let isEnding = false;
  const end = async () => {
    if (isEnding) return;
    isEnding = true;
    await server.close();
    process.exit(0);
  };
  // The client has gone. What is written to it then is lost.
  process.stdin.once('end', end).once('close', end);
  process.stdout.on('error', end);
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    await server.start(new StdioServerTransport(), end);
  } catch (error) {
    await server.close();
    throw error;
  }
}
