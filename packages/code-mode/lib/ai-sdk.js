// A tool for the AI SDK, `ai`, whose input is a program that calls other tools.
import { setMaxListeners } from 'node:events';
import { describe } from '@hyperlight/tools';
import { checkOptions, runTypeScript } from './program.js';

const PREFIXES = { debug: '', info: '', warn: '[warn] ', error: '[error] ' };
const INPUT = {
  type: 'object',
  properties: {
    code: { type: 'string', description: 'The program: the body of an async function. It returns its result.' },
  },
  required: ['code'],
  additionalProperties: false,
};

/** `generateText({ tools: { code: codeTool(tools) } })` */
export function codeTool(tools, options) {
  const defaults = checkOptions(options);
  // What asks a person first cannot be called by a program in its midst; what has no function runs elsewhere.
  const callable = Object.entries(tools).filter(
    ([, tool]) => typeof tool.execute === 'function' && !tool.needsApproval,
  );
  const description = describe({ tools: Object.fromEntries(callable) });
  return {
    description: `Runs a JavaScript program in a sandbox and returns its result. The program is the body of an async function, and can call these functions. Combine their results in the program instead of returning them. There is no network, no file, no require.

${description.declarations}`,
    inputSchema: standardSchema(INPUT),
    async execute({ code }, call = {}) {
      const running = new AbortController();
      const signal = call.abortSignal ? AbortSignal.any([call.abortSignal, running.signal]) : running.signal;
      // Each call of a tool may listen to it.
      setMaxListeners(0, signal);
      const functions = Object.create(null);
      for (const tool of description.tools) {
        functions[tool.name] = async (...args) => {
          const [input] = await tool.check(args);
          return lastOf(await tools[tool.originalName].execute(input, { ...call, abortSignal: signal }));
        };
      }
      const { value, error, lines } = await runTypeScript(code, {
        ...defaults,
        functions: { tools: functions },
        signal: call.abortSignal,
      });
      // Calls that the program has left behind end with it.
      running.abort();
      const logs = lines.map(({ level, text }) => PREFIXES[level] + text);
      const console = logs.length > 0 ? { console: logs } : {};
      if (!error) return { result: value, ...console };
      const { name, message, line } = error;
      return { error: { name, message, ...(line === undefined ? {} : { line }) }, ...console };
    },
  };
}

/** A tool may yield what it has so far; its result is what it yields last. */
async function lastOf(result) {
  if (typeof result?.[Symbol.asyncIterator] !== 'function') return result;
  let last;
  for await (const part of result) last = part;
  return last;
}

/** What the AI SDK takes without a library for schemas. */
function standardSchema(schema) {
  const [tool] = describe({ own: { code: schema } }).tools;
  const validate = async (value) => {
    try {
      const [input] = await tool.check([value]);
      return { value: input };
    } catch (error) {
      return { issues: [{ message: error.message }] };
    }
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'hyperlight',
      validate,
      jsonSchema: { input: () => schema, output: () => schema },
    },
  };
}
