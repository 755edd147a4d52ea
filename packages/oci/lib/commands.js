// The command line: bundle, push and pull.
import { parseArgs } from 'node:util';
import { pull, push } from './transfer.js';

const TRANSFER_HELP = `
The credentials are those that docker login keeps. A registry on this machine is spoken to over plain HTTP, another one only
over TLS.

Options:
  --tag TAG      tag of the function in FOLDER; the default is latest
  --plain-http   plain HTTP for registries on other machines as well: others can then read and change what is sent
  -h, --help     this text

Exit status: 0 if it was done, 1 if not, 2 if the arguments are not understood.
`;

const HELP = {
  bundle: `Usage: hyperlight-js bundle ENTRY -o FOLDER [options]

Makes a folder with a function: one ES module of ENTRY, a file, a folder or a package, and of the npm packages that it imports,
and a snapshot of a sandbox that has loaded it. It takes esbuild, which must be installed.

Options:
  -o, --outfile FOLDER   the folder to write, in the place of an older one
  --no-snapshot          only the module: each worker makes its own snapshot
  --minify               make the code shorter, at the price of its names
  --sourcemap            end the code with a source map of itself
  --external NAME        a module that is not to be part of it; may be repeated
  -h, --help             this text

Exit status: 0 if the folder was written, 1 if not, 2 if the arguments are not understood.
`,
  push: `Usage: hyperlight-js push FOLDER registry/name:tag [options]

Sends the function in FOLDER to an OCI registry, and moves the tag to it. Blobs that are there already are not sent.
${TRANSFER_HELP}`,
  pull: `Usage: hyperlight-js pull registry/name:tag FOLDER [options]

Fetches a function from an OCI registry into FOLDER. Blobs that are there already are not fetched. A function can also be named
by its digest: registry/name@sha256:…
${TRANSFER_HELP}`,
};

const COMMANDS = {
  async bundle({ outfile, 'no-snapshot': without, ...options }, [entry]) {
    // Pushes and pulls need no sandboxes.
    const { bundleFunction } = await import('./bundle.js');
    const made = await bundleFunction({ ...options, entry, folder: outfile, snapshot: !without });
    const { report, imports, warnings, digest, withoutSnapshot } = made;
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    if (withoutSnapshot && !without) process.stderr.write(`warning: there is no snapshot in it: ${withoutSnapshot}\n`);
    process.stdout.write(`${report}\n`);
    if (imports.length > 0) process.stdout.write(`imports ${imports.join(', ')}\n`);
    process.stdout.write(`${digest}\n`);
  },
  async push({ tag, 'plain-http': plainHttp }, [folder, reference]) {
    const { digest, sentBytes } = await push(folder, reference, { tag, plainHttp });
    process.stdout.write(`${reference} is ${digest}; ${sentBytes} bytes were sent\n`);
  },
  async pull({ tag, 'plain-http': plainHttp }, [reference, folder]) {
    const { digest, receivedBytes } = await pull(reference, folder, { tag, plainHttp });
    process.stdout.write(`${folder} has ${digest}; ${receivedBytes} bytes were received\n`);
  },
};

const FLAG = { type: 'boolean' };
const HELP_FLAG = { help: { ...FLAG, short: 'h' } };
const TRANSFER_OPTIONS = { ...HELP_FLAG, tag: { type: 'string' }, 'plain-http': FLAG };
const OPTIONS = {
  bundle: {
    ...HELP_FLAG,
    outfile: { type: 'string', short: 'o' },
    external: { type: 'string', multiple: true },
    'no-snapshot': FLAG,
    minify: FLAG,
    sourcemap: FLAG,
  },
  push: TRANSFER_OPTIONS,
  pull: TRANSFER_OPTIONS,
};

/** Runs a command, and gives the exit status. */
export async function run([command, ...args]) {
  if (!Object.hasOwn(COMMANDS, command ?? '')) {
    process.stderr.write(`hyperlight-js: ${command ?? 'a command'} is not one of bundle, push and pull\n`);
    return 2;
  }
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS[command], allowPositionals: true });
    check(command, parsed);
  } catch ({ message }) {
    process.stderr.write(`hyperlight-js ${command}: ${message}\n\n${HELP[command]}`);
    return 2;
  }
  const { help, ...options } = parsed.values;
  if (help) {
    process.stdout.write(HELP[command]);
    return 0;
  }
  try {
    await COMMANDS[command](options, parsed.positionals);
    return 0;
  } catch (error) {
    process.stderr.write(`hyperlight-js ${command}: ${error.code ? `${error.code}: ` : ''}${error.message}\n`);
    return error.code === 'ERR_INVALID_ARG' ? 2 : 1;
  }
}

function check(command, { values, positionals }) {
  const wanted = command === 'bundle' ? 1 : 2;
  if (values.help) return;
  if (positionals.length !== wanted) throw new Error(`it takes ${wanted} ${wanted === 1 ? 'name' : 'names'}`);
  if (command === 'bundle' && !values.outfile) throw new Error('-o FOLDER is missing');
}
