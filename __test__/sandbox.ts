// What most tests begin with, and what most error tests end with.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type JSSandbox, type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';

/** A sandbox to which handlers can be added. */
export async function start(): Promise<JSSandbox> {
  const proto = await new SandboxBuilder().build();
  return proto.loadRuntime();
}

/** A sandbox with these handlers, by name. */
export async function load(handlers: Record<string, string>): Promise<LoadedJSSandbox> {
  const sandbox = await start();
  for (const [name, code] of Object.entries(handlers)) sandbox.addHandler(name, code);
  return sandbox.getLoadedSandbox();
}

/** A sandbox whose handler `f` has this body. */
export function loadBody(body: string): Promise<LoadedJSSandbox> {
  return load({ f: `function handler(event) { ${body} }` });
}

/** Host functions by name. */
export type HostFunctions = Record<string, (...args: never[]) => unknown>;

/** A sandbox with these host functions in the module `host:test`, to which handlers can be added. */
export async function startWithHost(functions: HostFunctions): Promise<JSSandbox> {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('test');
  for (const [name, callback] of Object.entries(functions)) module.register(name, callback);
  return proto.loadRuntime();
}

/** A sandbox with these host functions, which its handler `f` with this body calls as members of `host`. */
export async function loadWithHost(functions: HostFunctions, body: string): Promise<LoadedJSSandbox> {
  const sandbox = await startWithHost(functions);
  sandbox.addHandler('f', `import * as host from 'host:test'; function handler(event) { ${body} }`);
  return sandbox.getLoadedSandbox();
}

const unsettled: unknown[] = [];

/** A host function whose promise is never settled. It is kept: when one is collected, its call fails. */
export function never(): Promise<never> {
  return new Promise((resolve) => unsettled.push(resolve));
}

/**
 * Lines that guests have printed, each taken once: a line says how far a guest has come. Unlike a call of a host function
 * it does not make the guest wait, which goes on in what comes after it.
 */
export class Lines {
  readonly #printed: string[] = [];
  readonly #waiting: ((text: string) => void)[] = [];
  readonly print = (_level: string, text: string): void => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(text);
    else this.#printed.push(text);
  };

  next(): Promise<string> {
    const text = this.#printed.shift();
    return text === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(text);
  }

  /** Those that have come and nobody has taken. All lines of a call come before its promise is settled. */
  taken(): string[] {
    return this.#printed.splice(0);
  }
}

/** A sandbox that prints to `lines`, to which handlers can be added. */
export async function startWithLines(lines: Lines): Promise<JSSandbox> {
  const proto = await new SandboxBuilder().setHostPrintFn(lines.print).build();
  return proto.loadRuntime();
}

/** Bodies of handlers by name, each of which prints `begun` before it does anything else. */
export async function loadWithLines(lines: Lines, bodies: Record<string, string>): Promise<LoadedJSSandbox> {
  const sandbox = await startWithLines(lines);
  for (const [name, body] of Object.entries(bodies)) {
    sandbox.addHandler(name, `function handler(event) { console.log('begun'); ${body} }`);
  }
  return sandbox.getLoadedSandbox();
}

/** How much longer things take where time is stretched by emulation. */
export const STRETCH = process.env.TIME_IS_STRETCHED === undefined ? 1 : 10;
/** What a program of a test may take. */
export const PATIENCE_MS = 30_000 * STRETCH;

/** Runs a program in a process of its own, with what this file exports in scope. */
export async function runProgram(program: string, ...options: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...options, '-e', `const sandboxes = require(${JSON.stringify(__filename)}); ${program}`],
    { timeout: PATIENCE_MS },
  );
  assert.equal(stderr, '');
  return stdout;
}

/** Runs the smoke check on this Node.js, whose version begins like this. */
export async function checkSmoke(node: string, version: string): Promise<void> {
  const smoke = join(__dirname, '..', '..', '__test__', 'smoke.mjs');
  const run = promisify(execFile);
  const { stdout, stderr } = await run(node, ['--unhandled-rejections=strict', smoke], { timeout: PATIENCE_MS });
  assert.ok(stdout.startsWith(`Node.js ${version}`), stdout);
  assert.ok(stdout.endsWith(': everything works\n'), stdout);
  if (version === '18.') assert.match(stderr, /^\(node:\d+\) Warning: [^\n]* \(CVE-2026-21717\)[^\n]*\n[^\n]*\n$/);
  else assert.equal(stderr, '');
}

/** Properties of every error that this API makes, and of some. */
export interface ApiError extends Error {
  code: string;
  file?: string;
  line?: number;
  column?: number;
  guestName?: string;
  guestMessage?: string;
  guestStack?: string;
  size?: number;
  limit?: number;
  unit?: string;
  terminatedBy?: string | null;
}

/** The error with which a promise is rejected; it must be a real `Error` with this code. */
export async function rejection(code: string, promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    (value) => assert.fail(`fulfilled with ${JSON.stringify(value)} instead of being rejected with ${code}`),
    (reason: unknown) => reason,
  );
  return checked(code, error);
}

/** The error that a function throws; it must be a real `Error` with this code. */
export function thrown(code: string, run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    return checked(code, error);
  }
  return assert.fail(`nothing is thrown instead of an error with ${code}`);
}

function checked(code: string, error: unknown): ApiError {
  assert.ok(error instanceof Error, `not an Error: ${error}`);
  const apiError = error as ApiError;
  assert.equal(apiError.code, code, apiError.stack);
  assert.notEqual(apiError.message, '');
  return apiError;
}
