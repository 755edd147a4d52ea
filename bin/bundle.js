// `hyperlight-js bundle`: a program and its packages as one module.
const { bundle } = require('../lib/bundle.js');

const HELP = `Usage: hyperlight-js bundle ENTRY -o FILE [options]

Makes one ES module of a program and of the npm packages that it imports, for a guest, and says which of them take how
much. ENTRY is a file, JavaScript or TypeScript, or the name of a package. It takes esbuild, which must be installed.

Options:
  -o, --outfile FILE   the file to write
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
  try {
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

module.exports = { HELP, run };
