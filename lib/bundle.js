// Makes one module of a program and of the npm packages that it imports, with esbuild and the settings that fit the guest.
const { builtinModules, createRequire } = require('node:module');
const { dirname, join, resolve } = require('node:path');
const GUEST_MODULES = require('./guest-modules.js');

const OPTIONS = ['entry', 'outfile', 'minify', 'sourcemap', 'external', 'conditions', 'define'];
/** Which of its builds a package is to use, the first that it has. */
const CONDITIONS = ['worker', 'browser', 'module', 'import', 'default'];
/** A specifier with a scheme, as those of host functions and of other modules of a guest have. One letter is a drive. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/;
/** Schemes that mean something to the bundler. */
const OF_BUNDLER = ['node:', 'data:', 'file:'];
/** How many packages the report names. */
const REPORTED = 10;

/** Bundles a program. `bundle.d.ts` has what it takes and gives. */
exports.bundle = async (options) => {
  check(options);
  const { entry, outfile, minify = false, sourcemap = false, external = [], conditions = [], define = {} } = options;
  const esbuild = load();
  let result;
  try {
    result = await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      mainFields: ['module', 'browser', 'main'],
      conditions: [...conditions, ...CONDITIONS],
      define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis', self: 'globalThis', ...define },
      external,
      minify,
      sourcemap: sourcemap ? 'inline' : false,
      charset: 'utf8',
      // What the engine of the guest cannot parse is made into what it can.
      target: 'es2023',
      metafile: true,
      logLevel: 'silent',
      plugins: [guest],
    });
  } catch (error) {
    throw failure(describe(error), error);
  }
  const [{ text: code, contents }] = result.outputFiles;
  const [{ inputs, imports }] = Object.values(result.metafile.outputs);
  const packages = sizes(inputs);
  if (outfile !== undefined) {
    const { mkdir, writeFile } = require('node:fs/promises');
    await mkdir(dirname(resolve(outfile)), { recursive: true });
    await writeFile(outfile, code);
  }
  return {
    code,
    size: contents.length,
    packages,
    imports: [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))],
    warnings: result.warnings.map(explain),
    report: report(contents.length, packages),
  };
};

/** Leaves what the guest has to the guest. */
const guest = {
  name: 'hyperlight-js',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      return kind !== 'entry-point' && GUEST_MODULES.includes(name) ? { path: name, external: true } : undefined;
    });
    build.onResolve({ filter: SCHEME }, ({ path, kind }) => {
      const isOurs = kind !== 'entry-point' && !OF_BUNDLER.some((scheme) => path.startsWith(scheme));
      return isOurs ? { path, external: true } : undefined;
    });
  },
};

/** esbuild, as this package finds it, or else the project in whose folder the program runs. */
function load() {
  let problem;
  for (const find of [require, createRequire(join(process.cwd(), 'x'))]) {
    try {
      return find('esbuild');
    } catch (error) {
      problem = error;
    }
  }
  throw failure('bundle() needs esbuild, which is not installed: npm install --save-dev esbuild', problem);
}

function check(options) {
  const { entry, ...rest } = Object(options);
  if (typeof entry !== 'string' || entry === '') throw invalid('entry must be the name of a file or of a package');
  for (const [name, value] of Object.entries(rest)) {
    const isStrings = (list) => list.every((item) => typeof item === 'string');
    const isRight =
      value === undefined ||
      (['minify', 'sourcemap'].includes(name) && typeof value === 'boolean') ||
      (name === 'outfile' && typeof value === 'string' && value !== '') ||
      (['external', 'conditions'].includes(name) && Array.isArray(value) && isStrings(value)) ||
      (name === 'define' && typeof value === 'object' && value !== null && isStrings(Object.values(value)));
    if (!OPTIONS.includes(name)) throw invalid(`bundle() knows no option ${JSON.stringify(name)}`);
    if (!isRight) throw invalid(`the option ${name} of bundle() is not of its type`);
  }
}

/** What esbuild has found wrong. */
function describe(error) {
  if (!Array.isArray(error.errors) || error.errors.length === 0) return `the bundle failed: ${error.message}`;
  const problems = [...new Set(error.errors.map(explain))];
  return `the bundle failed:\n${problems.map((problem) => `- ${problem}`).join('\n')}`;
}

/** One message of esbuild. Of a module of Node.js it says what that means for a guest. */
function explain({ text, location }) {
  const [, module] = text.match(/^Could not resolve "([^"]+)"/) ?? [];
  const name = module?.replace(/^node:/, '');
  const isOfNode = name !== undefined && (builtinModules.includes(name) || module.startsWith('node:'));
  const problem = isOfNode ? `the guest has no module ${JSON.stringify(module)} of Node.js` : text;
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${problem}` : problem;
}

/** How many bytes of the bundle are of which package, the most first. */
function sizes(inputs) {
  const packages = new Map();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const [, name] = path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? [];
    packages.set(name ?? '', (packages.get(name ?? '') ?? 0) + bytesInOutput);
  }
  const list = [...packages].map(([name, size]) => ({ name, size }));
  return list.sort((a, b) => b.size - a.size);
}

function report(size, packages) {
  const line = (bytes, text) => `${kib(bytes).padStart(12)}  ${text}`;
  const rest = packages.slice(REPORTED);
  const lines = packages.slice(0, REPORTED).map(({ name, size }) => line(size, name || '(your own files)'));
  if (rest.length > 0) {
    const total = rest.reduce((sum, { size }) => sum + size, 0);
    lines.push(line(total, `(${rest.length} more packages)`));
  }
  return [line(size, 'in total'), ...lines].join('\n');
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function failure(message, cause) {
  return Object.assign(new Error(message, { cause }), { code: 'ERR_BUNDLE' });
}

function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}
