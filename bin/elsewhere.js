// Commands that other packages have: they are loaded from beside this package, or else from the folder that it runs in.
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { pathToFileURL } = require('node:url');

/** The package and the program of each. */
const COMMANDS = {
  bundle: ['@hyperlight/oci', 'hyperlight-oci'],
  push: ['@hyperlight/oci', 'hyperlight-oci'],
  pull: ['@hyperlight/oci', 'hyperlight-oci'],
  worker: ['@hyperlight/bullmq', 'hyperlight-worker'],
};

exports.has = (command) => Object.hasOwn(COMMANDS, command ?? '');

/** Runs a command with its arguments. The program sets the exit status. */
exports.run = async (args) => {
  const [name, program] = COMMANDS[args[0]];
  const manifest = find(`${name}/package.json`);
  if (manifest === undefined) {
    process.stderr.write(`hyperlight-js ${args[0]} needs ${name}, which is not installed: npm install ${name}\n`);
    process.exitCode = 1;
    return;
  }
  process.argv.splice(2, Infinity, ...args);
  await import(pathToFileURL(join(dirname(manifest), require(manifest).bin[program])));
};

function find(file) {
  for (const { resolve } of [require, createRequire(join(process.cwd(), 'x'))]) {
    try {
      return resolve(file);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}
