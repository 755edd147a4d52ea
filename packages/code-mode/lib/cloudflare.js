// An executor for Cloudflare's code mode, @cloudflare/codemode.
import { checkOptions, invalid, isVariable, runProgram } from './program.js';

const PREFIXES = { debug: '', info: '', warn: '[warn] ', error: '[error] ' };
const RESERVED = new Set(
  (
    'abstract arguments await boolean break byte case catch char class const continue debugger default delete do double else ' +
    'enum eval export extends false final finally float for function goto if implements import in instanceof int interface ' +
    'let long native new null package private protected public return short static super switch synchronized this throw ' +
    'throws transient true try typeof undefined var void volatile while with yield'
  ).split(' '),
);

/** `createCodeTool({ executor: codemodeExecutor(), tools })` */
export function codemodeExecutor(options) {
  const defaults = checkOptions(options);
  return {
    async execute(code, providersOrFunctions, { connectors = [] } = {}) {
      const providers = Array.isArray(providersOrFunctions)
        ? providersOrFunctions
        : [{ name: 'codemode', fns: providersOrFunctions }];
      try {
        if (connectors.length > 0)
          throw invalid('connectors are bindings of Cloudflare Workers; pass their tools as providers');
        const functions = functionsOf(providers);
        const { value, error, lines } = await runProgram(withPreludes(code, providers), { ...defaults, functions });
        const logs = lines.map(({ level, text }) => PREFIXES[level] + text);
        return error ? { result: undefined, error: error.message, logs } : { result: value, logs };
      } catch (error) {
        return { result: undefined, error: error.message };
      }
    },
  };
}

function functionsOf(providers) {
  const functions = Object.create(null);
  for (const { name, fns } of providers) {
    if (!isVariable(name)) throw invalid(`the name of a provider is no identifier: ${String(name).slice(0, 100)}`);
    if (name in functions) throw invalid(`there are two providers named ${name}`);
    functions[name] = Object.create(null);
    for (const [tool, call] of Object.entries(fns)) {
      const identifier = identifierOf(tool);
      if (identifier in functions[name]) throw invalid(`two tools of ${name} are called ${identifier} by a program`);
      functions[name][identifier] = (...args) => call(...args);
    }
  }
  return functions;
}

/** Code of the providers that runs in the sandbox first, with their names in scope. */
function withPreludes(code, providers) {
  const preludes = providers.map(({ prelude }) => prelude).filter(Boolean);
  if (preludes.length === 0) return code;
  const names = providers.map(({ name }) => `${name} = { ...globalThis.${name} }`);
  return `const ${names.join(', ')};\n${preludes.join('\n')}\nreturn (${code}\n)();`;
}

/** As in the types that codemode shows to the model. */
function identifierOf(name) {
  const text = name.replaceAll(/[-.\s]/g, '_').replaceAll(/[^\w$]/g, '');
  if (text === '') return '_';
  if (/^\d/.test(text)) return `_${text}`;
  return RESERVED.has(text) ? `${text}_` : text;
}
