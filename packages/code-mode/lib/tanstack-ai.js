// A driver for TanStack AI's code mode, @tanstack/ai-code-mode.

import { variables } from './external.js';
import { checkOptions, runProgram } from './program.js';

const PREFIXES = { debug: '', info: '', warn: 'WARN: ', error: 'ERROR: ' };

/** `createCodeMode({ driver: isolateDriver(), tools })` */
export function isolateDriver(options) {
  const defaults = checkOptions(options);
  return {
    async createContext({ bindings, timeout }) {
      const calls = Object.entries(bindings).map(([name, binding]) => [name, (input) => binding.execute(input)]);
      return new Context({
        ...defaults,
        ...variables(calls),
        ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      });
    },
  };
}

class Context {
  #options;
  #running = new AbortController();

  constructor(options) {
    this.#options = options;
  }

  async execute(code) {
    if (this.#running.signal.aborted) {
      return {
        success: false,
        error: { name: 'DisposedError', message: 'The context has been disposed of' },
        logs: [],
      };
    }
    const { value, error, lines } = await runProgram(code, { ...this.#options, signal: this.#running.signal });
    const logs = lines.map(({ level, text }) => PREFIXES[level] + text);
    if (!error) return { success: true, value, logs };
    const { name, message, stack, code: errorCode } = error;
    return { success: false, error: { name, message, stack, code: errorCode }, logs };
  }

  /** Stops a program that runs. */
  async dispose() {
    this.#running.abort();
  }
}
