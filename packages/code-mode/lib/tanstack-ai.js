// A driver for TanStack AI's code mode, @tanstack/ai-code-mode.

import { variables } from './external.js';
import { checkOptions, runProgram } from './program.js';

const MIB = 1024 * 1024;
/** More than a heap can have. */
const NO_LIMIT = 4096 * MIB;
const PREFIXES = { debug: '', info: '', warn: 'WARN: ', error: 'ERROR: ' };

/** `createCodeMode({ driver: isolateDriver(), tools })` */
export function isolateDriver(options) {
  const defaults = checkOptions(options);
  return {
    async createContext({ bindings, timeout, memoryLimit }) {
      const calls = Object.entries(bindings).map(([name, binding]) => [name, (input) => binding.execute(input)]);
      const limits = { ...defaults };
      if (timeout !== undefined) limits.timeoutMs = timeout;
      const { memoryLimitBytes = NO_LIMIT } = limits;
      if (memoryLimit !== undefined)
        limits.memoryLimitBytes = Math.min(Math.floor(memoryLimit * MIB), memoryLimitBytes);
      return new Context({ ...limits, ...variables(calls) });
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
