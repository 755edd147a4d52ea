#!/usr/bin/env node
// `hyperlight-js worker`, which ends up here. All that it says goes to standard error.
import { readFileSync } from 'node:fs';
import { HELP, readOptions } from '../lib/worker-options.js';

const say = (level, text) => process.stderr.write(`${level}: ${text}\n`);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [first, ...rest] = process.argv.slice(2);
const args = first === 'worker' ? rest : process.argv.slice(2);

let options;
try {
  options = readOptions(args, process.env);
} catch ({ message }) {
  say('error', `${message}\n\n${HELP}`);
  process.exit(2);
}
if (options.help) process.stdout.write(HELP);
else if (options.version) process.stdout.write(`${version}\n`);
else {
  // What only asks for help needs no sandboxes.
  const { runWorker } = await import('../lib/worker-program.js');
  try {
    await runWorker(options, say);
    process.exit(0);
  } catch (error) {
    say('error', `${error.code ? `${error.code}: ` : ''}${error.message}`);
    process.exit(error.code === 'ERR_INVALID_ARG' ? 2 : 1);
  }
}
