#!/usr/bin/env node
// The command line of the package: `npx @hyperlight/js-host-api doctor`, `… bundle`, and what other packages add to it.

const { version } = require('../package.json');
const bundle = require('./bundle.js');
const { examine } = require('./doctor.js');
const { describe } = require('./doctor-text.js');
const elsewhere = require('./elsewhere.js');

const HELP = `Usage: hyperlight-js doctor [--json]
       hyperlight-js bundle ENTRY -o FILE|FOLDER
       hyperlight-js push FOLDER registry/name:tag
       hyperlight-js pull registry/name:tag FOLDER
       hyperlight-js worker --redis URL --registry HOST

doctor says whether sandboxes work on this machine and what limits their number: it shows the hypervisor, the processor, the
memory and the limits of the process, runs one handler, and tells how long each step took.
bundle makes one module of a program and of the npm packages that it imports, or a folder with a function; push and pull send it
to an OCI registry and fetch it; worker runs functions for a queue. --help after each says more; push and pull are of the package
@hyperlight/oci, worker of @hyperlight/bullmq.

Options:
  --json         as one JSON object; docs/doctor.md explains its keys
  -h, --help     this text
  -v, --version  the version of the package

Exit status: 0 if the handler ran and gave the right answer, 1 if not, 2 if the arguments are not understood.
`;

main(process.argv.slice(2));

async function main(args) {
  if (args[0] === 'bundle') {
    if (args.includes('--help') || args.includes('-h')) process.stdout.write(bundle.HELP);
    else process.exitCode = await bundle.run(args.slice(1));
    return;
  }
  if (elsewhere.has(args[0])) {
    await elsewhere.run(args);
    return;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  if (args.length === 1 && ['--version', '-v'].includes(args[0])) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const [command, ...options] = args;
  const unknown = command === 'doctor' ? options.find((option) => option !== '--json') : (command ?? '');
  if (unknown !== undefined) {
    const problem = unknown === '' ? 'a command is missing' : `unknown argument: ${unknown}`;
    process.stderr.write(`hyperlight-js: ${problem}\n\n${HELP}`);
    process.exitCode = 2;
    return;
  }
  const report = await examine();
  process.stdout.write(options.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
  process.exitCode = report.ok ? 0 : 1;
}
