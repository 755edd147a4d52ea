// `hyperlight-js bundle`: a program and its packages as one module.
const { statSync } = require('node:fs');
const { extname } = require('node:path');
const { bundle } = require('../lib/bundle.js');
const elsewhere = require('./elsewhere.js');

const HELP = `Usage: hyperlight-js bundle ENTRY -o FILE|FOLDER [options]

Makes one ES module of a program and of the npm packages that it imports, for a guest, and says which of them take how
much. ENTRY is a file, JavaScript or TypeScript, a folder, or the name of a package. It takes esbuild, which must be installed.

With a FOLDER, one that is there, that ends with a slash, or for an ENTRY that is a folder one without an extension, it makes
a function that can be pushed to a registry: the module and a snapshot. That takes the package @hyperlight/oci.

Options:
  -o, --outfile FILE   the file to write, or the folder
  --no-snapshot        with a folder: only the module
  --minify             make the code shorter, at the price of its names
  --sourcemap          end the code with a source map of itself
  --external NAME      a module that is not to be part of it; may be repeated

Exit status: 0 if the file was written, 1 if not, 2 if the arguments are not understood.
`;

/** The options that arguments mean, or what is wrong with them. */
function parse(args) {
  const options = { external: [] };
  const rest = [...args];
  const value = (name) => {
    if (rest.length === 0) throw new Error(`${name} takes a value`);
    return rest.shift();
  };
  while (rest.length > 0) {
    const arg = rest.shift();
    if (arg === '-o' || arg === '--outfile') options.outfile = value(arg);
    else if (arg === '--external') options.external.push(value(arg));
    else if (arg === '--no-snapshot') options.snapshot = false;
    else if (arg === '--minify' || arg === '--sourcemap') options[arg.slice(2)] = true;
    else if (arg.startsWith('-') || options.entry !== undefined) throw new Error(`unknown argument: ${arg}`);
    else options.entry = arg;
  }
  if (!options.entry) throw new Error('the entry is missing');
  if (!options.outfile) throw new Error('-o FILE is missing');
  return options;
}

/** Runs the command, and gives the exit status. */
async function run(args) {
  let options;
  try {
    options = parse(args);
  } catch ({ message }) {
    process.stderr.write(`hyperlight-js bundle: ${message}\n\n${HELP}`);
    return 2;
  }
  if (isFolder(options)) {
    await elsewhere.run(['bundle', ...args]);
    return process.exitCode;
  }
  try {
    if (options.snapshot === false) throw new Error('--no-snapshot is for folders');
    const { report, imports, warnings } = await bundle(options);
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(`${report}\n`);
    if (imports.length > 0) process.stdout.write(`imports ${imports.join(', ')}\n`);
    return 0;
  } catch ({ message }) {
    process.stderr.write(`hyperlight-js bundle: ${message}\n`);
    return 1;
  }
}

/** Whether a function is to be made, not a file. */
function isFolder({ entry, outfile }) {
  const isThere = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return /[\\/]$/.test(outfile) || isThere(outfile) || (isThere(entry) && extname(outfile) === '');
}

module.exports = { HELP, run };
