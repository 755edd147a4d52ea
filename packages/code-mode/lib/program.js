// A run of a program, whose end is told as data: every code mode hands it to its model in a form of its own.
import { run } from '@hyperlight/js-host-api';

const TIMEOUT_MS = 30_000;
const OPTIONS = ['pool', 'timeoutMs', 'cpuTimeoutMs', 'memoryLimitBytes', 'maxToolCalls', 'maxConsoleBytes'];
const MAX_STACK = 4096;

/** Options of all adapters. */
export function checkOptions(options = {}) {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown) throw invalid(`there is no option ${unknown}; there are ${OPTIONS.join(', ')}`);
  const { pool } = options;
  if (pool !== undefined && typeof pool?.run !== 'function') throw invalid('the option pool must be a SandboxPool');
  return { timeoutMs: TIMEOUT_MS, ...options };
}

/**
 * Resolves to `{ value, lines }` or `{ error, lines }`; never rejects.
 *
 * `head` is put before the source, in its first line, and does not count in the places of errors.
 */
export async function runProgram(source, { functions, head = '', signal, pool, timeoutMs, maxToolCalls, ...limits }) {
  const options = { functions, signal, wallClockTimeoutMs: timeoutMs, maxHostCalls: maxToolCalls, ...limits };
  try {
    const { value, receipt } = await (pool ? pool.run(head + source, options) : run(head + source, options));
    return { value, lines: linesOf(receipt) };
  } catch (error) {
    return { error: tellOf(error, head, timeoutMs), lines: linesOf(error.receipt) };
  }
}

/** The same with a program that may be TypeScript: if it does not compile as it is, the guest takes its types out. */
export async function runTypeScript(source, options) {
  const result = await runProgram(source, options);
  return result.error?.code === 'ERR_COMPILE' ? runProgram(source, { ...options, language: 'typescript' }) : result;
}

function linesOf(receipt) {
  if (!receipt) return [];
  const { console, droppedLines } = receipt;
  if (droppedLines === 0) return console;
  return [...console, { level: 'warn', text: `(${droppedLines} more lines)` }];
}

function tellOf(error, head, timeoutMs) {
  const { code } = error;
  switch (code) {
    case 'ERR_COMPILE': {
      const column = error.line === 1 ? error.column - head.length : error.column;
      const message = error.guestMessage ?? error.message;
      return {
        code,
        name: 'SyntaxError',
        message: `${message} (line ${error.line}, column ${column})`,
        line: error.line,
      };
    }
    case 'ERR_GUEST_ERROR': {
      const stack = error.guestStack?.slice(0, MAX_STACK);
      return {
        code,
        name: error.guestName || 'Error',
        message: error.guestMessage ?? error.message,
        stack,
        line: lineOf(stack),
      };
    }
    case 'ERR_CANCELLED':
      if (error.terminatedBy === 'signal') return { code, name: 'AbortError', message: 'The program was aborted' };
      if (error.terminatedBy === 'cpu-time')
        return { code, name: 'TimeoutError', message: 'The program took too much processor time' };
      return { code, name: 'TimeoutError', message: `The program timed out after ${timeoutMs}ms` };
    default:
      return { code, name: error.name, message: error.message };
  }
}

function lineOf(stack) {
  const line = stack?.match(/\brun:(\d+)/)?.[1];
  return line && Number(line);
}

/** A name that is no identifier, or is taken, would make another program of this one. */
export function isVariable(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

export function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}
