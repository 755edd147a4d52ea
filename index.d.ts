/* Made by `napi build` from src/node. Do not edit it. */
/// <reference lib="esnext.disposable" />

/**
 * What every method throws or rejects with: an `Error` whose `code` says what is wrong. `docs/errors.md` has a table of the codes.
 * `isSandboxError()` recognizes it, and a comparison of its `code` narrows its type.
 *
 * @example
 * ```ts
 * try {
 *   await sandbox.callHandler('greet', { name: 'World' });
 * } catch (error) {
 *   if (!isSandboxError(error)) throw error;
 *   if (error.code === 'ERR_GUEST_ERROR') console.error(error.guestStack);
 *   else if (error.code === 'ERR_CANCELLED') console.error(`stopped by ${error.terminatedBy ?? 'the program'}`);
 *   else throw error;
 * }
 * ```
 */
export type SandboxError = CompileError | GuestError | PayloadTooLargeError | CancelledError | OtherError;

/**
 * Whether a value is an error of this package: an `Error` with one of its codes as a property of its own. It works for errors of
 * other realms, such as those of `node:vm` and of test runners, too, where `instanceof Error` does not.
 */
export declare function isSandboxError(value: unknown): value is SandboxError;

/** A handler or a module cannot be compiled, linked or evaluated. */
export interface CompileError extends Error {
  code: 'ERR_COMPILE';
  /** Name of the handler, or specifier of the module. */
  file: string;
  /** Line in its source, from 1; 0 if it is not known. */
  line: number;
  /** Column in its source, from 1; 0 if it is not known. */
  column: number;
  /** The guest's stack trace, one frame a line; empty if there is none. */
  guestStack: string;
  /** What the evaluation has cost. */
  stats: CallStats;
  /** As that of a `GuestThrown`. */
  guestCode?: string | number;
  /** As those of a `GuestThrown`. */
  guestProperties: Record<string, unknown>;
  /** As that of a `GuestThrown`. */
  cause?: GuestThrown;
  /** As those of a `GuestThrown`. */
  errors?: GuestThrown[];
}

/** What guest code has thrown. All that it says comes from the guest: it may be anything. */
export interface GuestThrown extends Error {
  code: 'ERR_GUEST_ERROR';
  /** The name of what was thrown, such as `TypeError`; empty if that is no error. */
  guestName: string;
  /** The message of what was thrown, or that itself as text. At most 16 KiB. */
  guestMessage: string;
  /** The guest's stack trace, one frame a line. Lines and columns are those of the handler's source. At most 16 KiB. */
  guestStack: string;
  /** The `code` of what was thrown, if it is a text or a number. */
  guestCode?: string | number;
  /** Its own enumerable properties, as far as JSON can express them, and its `code`. At most 16 KiB of JSON. */
  guestProperties: Record<string, unknown>;
  /** What its `cause` was, whatever that is, if it had one; causes and errors are nested to a depth of 8. */
  cause?: GuestThrown;
  /** What its `errors` were, the first 16 of them, if it had any, as an `AggregateError` has. */
  errors?: GuestThrown[];
}

/** A handler threw, or its promise was rejected. Its `stack` has the guest's frames and then those of the call. */
export interface GuestError extends GuestThrown {
  /** What the call has cost. */
  stats: CallStats;
}

/** An event, a result or a source is larger than the limit, or a result consists of too many values. */
export interface PayloadTooLargeError extends Error {
  code: 'ERR_PAYLOAD_TOO_LARGE';
  /** Its size in bytes, or the number of its values. */
  size: number;
  /** The limit of that. */
  limit: number;
  /** What is counted: see `SandboxBuilder.setMaxOutputValues()` for values. */
  unit: 'bytes' | 'values';
  /** What the call has cost, if it has begun. */
  stats?: CallStats;
}

/** A call, or `getLoadedSandbox()`, was stopped from outside. Its `cause` is the reason of the signal that was aborted. */
export interface CancelledError extends Error {
  code: 'ERR_CANCELLED';
  /** The timeout that stopped it; `null` if it was a signal, `kill()` or `dispose()`. */
  terminatedBy: 'wall-clock' | 'cpu-time' | null;
  /** What it has cost, if it has begun. */
  stats?: CallStats;
}

/** An error of another kind. */
export interface OtherError extends Error {
  code:
    | 'ERR_CONSUMED'
    | 'ERR_GUEST_ABORT'
    | 'ERR_HANDLER_NOT_FOUND'
    | 'ERR_INTERNAL'
    | 'ERR_INVALID_ARG'
    | 'ERR_NO_HYPERVISOR'
    | 'ERR_NO_THREAD'
    | 'ERR_POISONED'
    | 'ERR_POOL_FULL'
    | 'ERR_POOL_PREPARE'
    | 'ERR_REENTRANT'
    | 'ERR_SNAPSHOT';
  /** What the call has cost, if it has begun. */
  stats?: CallStats;
}

/** What can be done with a sandbox, by name. */
export declare const SandboxStatus: {
  /** Everything. */
  readonly Ready: 'ready';
  /** A call did not run to its end: `restore()` and `unload()` help. */
  readonly Poisoned: 'poisoned';
  /** Nothing: neither `restore()` nor `unload()` helps. */
  readonly Unrecoverable: 'unrecoverable';
  /** Nothing: `dispose()` was called. */
  readonly Disposed: 'disposed';
};
/** What can be done with a sandbox. */
export type SandboxStatus = (typeof SandboxStatus)[keyof typeof SandboxStatus];

/** Limits of guest code, and a way to stop it. */
export interface LoadOptions {
  /** Milliseconds, 1 to 3,600,000, after which it is stopped, whatever it does or waits for. Default: no limit. */
  wallClockTimeoutMs?: number;
  /**
   * Milliseconds of processor time, 1 to 3,600,000, after which it is stopped. Time that a host function takes does not count.
   * Default: no limit.
   */
  cpuTimeoutMs?: number;
  /** Stops this call, and no other, when it is aborted. */
  signal?: AbortSignalLike;
}

/** Options of `callHandler()`. */
export interface CallHandlerOptions extends LoadOptions {
  /**
   * Whether the guest collects garbage after the call, if its memory has grown by more than 64 KiB since it last did. Only
   * cycles need it: all else is freed at once. Default: `true`.
   */
  gc?: boolean;
}

/** Options of `Snapshot.load()`. */
export interface LoadSnapshotOptions {
  /** Stops it when it is aborted. */
  signal?: AbortSignalLike;
}

/** What is used of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What `callHandlerWithStats()` returns. */
export interface CallResult<T = any> {
  /** What the handler returns. */
  value: T;
  /** What the call has cost. */
  stats: CallStats;
}

/** Options of a `SandboxPool`: its size, and where its sandboxes come from. */
export type PoolOptions = PoolSize & (PoolFromSnapshot | PoolFromFunction);

/** Sizes of a `SandboxPool`. */
export interface PoolSize {
  /** Number of sandboxes, 1 to 1,024. */
  size: number;
  /** Number of requests that may wait for a sandbox, 0 to 1,000,000. Default: 1,000. */
  maxQueue?: number;
}

/** A `SandboxPool` of sandboxes in the state of a snapshot. */
export interface PoolFromSnapshot {
  /** The state in which each request gets its sandbox. It must not need host functions; use `prepare` for those. */
  snapshot: Snapshot;
  /**
   * Takes the lines of the guests' consoles, as `SandboxBuilder.setHostPrintFn()` has it. Default: the process's standard output
   * and standard error.
   */
  hostPrintFn?: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  /** How many values a result may consist of, as `SandboxBuilder.setMaxOutputValues()` has it. Default: 131,072. */
  maxOutputValues?: number;
  prepare?: undefined;
}

/** A `SandboxPool` of sandboxes that a function makes. */
export interface PoolFromFunction {
  /**
   * Makes one sandbox, in the state in which each request gets it. It is called `size` times at the start, and again for a
   * sandbox that is beyond repair. What it gives belongs to the pool from then on.
   */
  prepare: () => LoadedJSSandbox | PromiseLike<LoadedJSSandbox>;
  snapshot?: undefined;
  hostPrintFn?: undefined;
  maxOutputValues?: undefined;
}

/** Identifies the guest: the kernel and the runtime that a build of this module has embedded and starts every sandbox with. */
export interface GuestImage {
  /** Version of this module, of which the guest is a part, such as `1.2.3`. */
  readonly version: string;
  /**
   * SHA-256 of the kernel's image followed by the runtime's, both of them ELF files, as 64 hexadecimal digits in lower case.
   * Two builds with the same hash run the same guest, and a `Snapshot` of the one can be loaded by the other.
   */
  readonly hash: string;
}

export declare namespace SandboxBuilder {
  /** The guest that every sandbox starts with. */
  export const guestImage: GuestImage;
}
/** A module of host functions, which guest code imports from `host:NAME`. `ProtoJSSandbox.hostModule()` makes it. */
export declare class HostModule {
  private constructor()
  /**
   * Registers a function in the module and gives the module back, for more. A function that was registered under the
   * same name is replaced.
   *
   * - `name`: what guest code imports it by.
   * - `callback`: is called with the guest's arguments, on the thread that registered it. What it returns goes to the
   *   guest as `JSON.stringify` has it: what that leaves out, such as a function or `undefined`, arrives as `undefined`. A
   *   `Uint8Array`, a `Buffer` or an `ArrayBuffer` arrives as a `Uint8Array`, in the arguments as well.
   *   A promise or another thenable is awaited; the guest waits meanwhile, the event loop does not.
   *
   * If the callback throws, rejects, or gives what `JSON.stringify` refuses (a cyclic object, a BigInt), the guest's
   * call throws a `HostFunctionError` with the same message, and with the error's name as `hostName`; `code`, other own
   * enumerable properties that JSON can express, `cause` and `errors` come along, the stack does not. What is no error
   * is turned into text for the message; its `hostName` is empty.
   *
   * The guest waits for as long as the promise takes. To limit that, use a timeout of `callHandler()`, or `kill()`; a
   * result that comes later is dropped.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is no string or empty, or the callback is no function.
   * - `ERR_CONSUMED`: `loadRuntime()` was called already.
   *
   * @example
   * ```ts
   * protoSandbox.hostModule('users').register('find', async (id) => {
   *   if (typeof id !== 'number') throw new TypeError('an id is a number'); // arguments may be anything
   *   return { id, name: 'Ada' };
   * });
   * ```
   */
  register(name: string, callback: (...args: any[]) => any): this
  /**
   * Registers an asynchronous function: as `register()`, but guest code gets a promise at once and goes on. So several calls
   * are at work at the same time, and a sandbox that waits for them occupies no thread.
   *
   * The guest's promise is fulfilled with what the callback returns, awaited if it is a promise or another thenable, and
   * rejected with a `HostFunctionError` where `register()` would have it thrown. When the guest's call ends before the callback
   * does, its result is dropped.
   *
   * A call of a handler, or the evaluation of its module, may have 1,000 calls of asynchronous functions in flight, and make 100,000 of them; the arguments of
   * those in flight may take 16 times the output buffer's size. What goes beyond is rejected with a `HostFunctionError` whose
   * `hostName` is `RangeError`.
   *
   * Throws as `register()` does.
   *
   * @example
   * ```ts
   * protoSandbox.hostModule('web').registerAsync('get', async (path) => {
   *   const response = await fetch(new URL(String(path), 'https://example.com'));
   *   return response.text();
   * });
   * ```
   */
  registerAsync(name: string, callback: (...args: any[]) => any): this
}

/**
 * Stops what a sandbox is doing. `LoadedJSSandbox.interruptHandle` and `JSSandbox.interruptHandle` make it; both stand for
 * the same sandbox, whatever class it is of.
 *
 * It may be used from a timer, from a signal handler, from wherever: the event loop is free while guest code runs.
 */
export declare class InterruptHandle {
  private constructor()
  /**
   * Stops the call of a handler that is running now, which then rejects with `ERR_CANCELLED` and poisons the sandbox. Or
   * the `getLoadedSandbox()` that is running now, which then rejects with `ERR_CANCELLED`; the `JSSandbox` stays usable.
   *
   * It returns at once, and does nothing if there is nothing to stop. Of several calls it stops the oldest that has not
   * ended, also if that has been made but not started yet. The others are not affected, but find the sandbox poisoned.
   *
   * @example
   * ```ts
   * process.once('SIGINT', () => sandbox.interruptHandle.kill());
   * ```
   */
  kill(): void
}

/**
 * A sandbox with the JavaScript runtime in it, to which handlers and modules are added. `ProtoJSSandbox.loadRuntime()`
 * makes it, and so does `LoadedJSSandbox.unload()`.
 */
export declare class JSSandbox {
  private constructor()
  /**
   * Adds a handler. It is compiled by `getLoadedSandbox()`.
   *
   * - `name`: what `callHandler()` calls it by; 1 to 256 bytes in UTF-8 without control characters, not all of
   *   them white space, and different from every other handler's.
   * - `code`: the source of an ES module that defines `function handler(event)`; the function may be `async` and
   *   need not be exported. At most 1 MiB in UTF-8, unless the builder sets another limit.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is malformed, taken, or begins with `hyperlight:`, an argument is no string, or the
   *   sandbox started from a snapshot.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   *
   * @example
   * ```ts
   * jsSandbox.addHandler('add', 'export function handler({ a, b }) { return a + b; }');
   * ```
   */
  addHandler(name: string, code: string): void
  /**
   * Removes a handler.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: there is no handler of this name, or it is no string.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   */
  removeHandler(name: string): void
  /**
   * Removes all handlers.
   *
   * Throws with `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   */
  clearHandlers(): void
  /**
   * Adds an ES module, which handlers and other modules import as `NAMESPACE:NAME`. It is compiled when it is first
   * imported, so modules can be added in any order and may import each other. All that import it share one instance.
   *
   * - `name`: 1 to 256 bytes in UTF-8 without control characters and colons, not all of them white space.
   * - `source`: what the module consists of. At most 1 MiB in UTF-8, unless the builder sets another limit.
   * - `namespace`: as the name; `user` if it is left out. `host` and `hyperlight` are reserved.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name or the namespace is not acceptable, there is such a module already, an argument is no
   *   string, or the sandbox started from a snapshot.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   *
   * @example
   * ```ts
   * jsSandbox.addModule('geometry', 'export const area = (radius) => Math.PI * radius ** 2;');
   * jsSandbox.addHandler('area', `
   *   import { area } from 'user:geometry';
   *   export const handler = ({ radius }) => area(radius);
   * `);
   * ```
   */
  addModule(name: string, source: string, namespace?: string): void
  /**
   * Removes a module.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: there is no module of this name in this namespace, or an argument is no string.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   */
  removeModule(name: string, namespace?: string): void
  /**
   * Removes all modules.
   *
   * Throws with `ERR_CONSUMED`: `getLoadedSandbox()` was called already.
   */
  clearModules(): void
  /**
   * Compiles the handlers, and the modules that they import, and evaluates them. Consumes this object, unless a handler
   * cannot be loaded: then the object stays usable and keeps its handlers and modules.
   *
   * Modules may use top-level `await` over asynchronous host functions and timers, which is waited for. Timers, host calls and
   * results that an evaluation leaves behind are dropped at its end.
   *
   * - `options`: limits of what handlers and modules do when they are evaluated, see `LoadOptions`. Without them, code
   *   that never ends is stopped by `interruptHandle` only.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: there is something wrong with the options. Nothing has happened.
   * - `ERR_COMPILE`: a source has a syntax error, imports what does not exist, defines no function `handler`,
   *   throws when it is evaluated, or waits for what can never come. The error has the properties `file` (name of the handler or module), `line` and `column`
   *   (both from 1; 0 if not known) and `guestStack`.
   * - `ERR_PAYLOAD_TOO_LARGE`: a source is too large; `size` and `limit` say in bytes how large and what is allowed.
   * - `ERR_CONSUMED`: it was called already.
   * - `ERR_CANCELLED`: the evaluation was stopped by a timeout, its signal or `kill()`. The error's `terminatedBy` names the
   *   timeout; its `cause` is the signal's reason.
   * - `ERR_GUEST_ABORT`: the evaluation did not run to its end.
   *
   * @example
   * ```ts
   * const sandbox = await jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 });
   * ```
   */
  getLoadedSandbox(options?: LoadOptions): Promise<LoadedJSSandbox>
  /** A handle to stop `getLoadedSandbox()` with. It goes on to stop the calls of what that gives. */
  get interruptHandle(): InterruptHandle
  /**
   * Whether the guest's state cannot be trusted. It always can before `getLoadedSandbox()`, and after `unload()`, which
   * forgets that state; `true` means that the sandbox is beyond repair.
   */
  get poisoned(): boolean
  /**
   * `'ready'`, or `'unrecoverable'` if `getLoadedSandbox()` has found the sandbox beyond repair. It is never
   * `'poisoned'`, see there. `'disposed'` after `dispose()`.
   */
  get status(): SandboxStatus
  /**
   * Gives the sandbox's memory back at once instead of when the object is collected. Its methods give `ERR_CONSUMED`
   * from then on. It does nothing to what `getLoadedSandbox()` gave.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been given back. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A sandbox with its handlers loaded. `JSSandbox.getLoadedSandbox()` makes it.
 *
 * State that a handler keeps at module level lives from call to call, until a snapshot is restored.
 *
 * Calls, snapshots, restores and the unloading of one sandbox are done one after the other, in the order in which they
 * were asked for. In the course of a host function they all reject with `ERR_REENTRANT` if the sandbox's own call waits
 * for that function, directly or through another sandbox's call.
 */
export declare class LoadedJSSandbox {
  private constructor()
  /**
   * Calls a handler and gives what it returns.
   *
   * Calls on one sandbox run one after the other, in the order in which they were made; calls on different sandboxes
   * run side by side. If the handler returns a promise, its value is awaited.
   *
   * - `name`: the name under which the handler was added.
   * - `event`: the handler's argument, anything that `JSON.stringify` can express. A `Uint8Array`, a `Buffer` or an
   *   `ArrayBuffer` in it arrives as a `Uint8Array`, and so it does in the result. Each of both may have at most 1 MiB
   *   (JSON text in UTF-8 and binary data), unless the builder sets other limits, and 65,536 pieces of binary data.
   * - `options`: see `CallHandlerOptions`.
   *
   * The sandbox stays usable when it rejects with:
   * - `ERR_INVALID_ARG`: the name is no string, empty or too long, the event cannot be expressed in JSON, or there is
   *   something wrong with the options.
   * - `ERR_HANDLER_NOT_FOUND`: there is no handler of this name.
   * - `ERR_GUEST_ERROR`: the handler threw, or its promise was rejected. The error has the properties `guestName`,
   *   `guestMessage` and `guestStack`; lines and columns in the stack are those of the handler's source. Using up the
   *   heap or the stack is such an error too.
   * - `ERR_PAYLOAD_TOO_LARGE`: the event or the result is too large, or the result consists of too many values; `size`,
   *   `limit` and `unit` (`'bytes'` or `'values'`) say how many and what is allowed.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` was called already.
   *
   * The sandbox is poisoned when it rejects with:
   * - `ERR_GUEST_ABORT`: the guest ended the call without finishing it, by a fault or by breaking the protocol.
   * - `ERR_CANCELLED`: the call was stopped from outside: by a timeout, its signal, `kill()` or `dispose()`. The error's
   *   `terminatedBy` names the timeout; its `cause` is the signal's reason. If the signal is aborted while the call waits for
   *   its turn, it is as if the call had never been made: the sandbox is not poisoned.
   * - `ERR_POISONED`: it was poisoned before.
   *
   * The error of a call that has begun has `stats`, what the call has cost.
   *
   * `T` is what the program expects; nothing checks that the handler returns it.
   *
   * @example
   * ```ts
   * const limits = { wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 };
   * const greeting = await sandbox.callHandler<string>('greet', { name: 'World' }, limits);
   * ```
   */
  callHandler<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<T>
  /**
   * As `callHandler()`, but gives what the handler returns together with what the call has cost.
   *
   * @example
   * ```ts
   * const { value, stats } = await sandbox.callHandlerWithStats('greet', { name: 'World' });
   * console.log(value, stats.cpuTimeMs);
   * ```
   */
  callHandlerWithStats<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<CallResult<T>>
  /**
   * Forgets the handlers, the modules and all their state, and gives a `JSSandbox` to which others can be added. The
   * host functions stay. Consumes this object, also when it fails; what was asked for before is done first.
   *
   * It works for a poisoned sandbox as well.
   *
   * Rejects with:
   * - `ERR_CONSUMED`: it was called already, or `dispose()` was.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for. The object
   *   is not consumed then.
   * - `ERR_POISONED`: the sandbox is beyond repair.
   */
  unload(): Promise<JSSandbox>
  /**
   * Takes a snapshot of the state: handlers, modules and all their variables. Host functions and what they keep live
   * outside the sandbox and are no part of it.
   *
   * Rejects with:
   * - `ERR_POISONED`: the sandbox is poisoned.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` was called already.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   */
  snapshot(): Promise<Snapshot>
  /**
   * Puts the sandbox back into the state of a snapshot. A poisoned sandbox is usable again afterwards.
   *
   * The snapshot may be that of another sandbox, of one with the same settings and the same host functions. It can be
   * restored as often as needed.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: the argument is no `Snapshot`, or one of a sandbox with host functions that this one lacks.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` was called already, or the snapshot was disposed of.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   * - `ERR_POISONED`: the sandbox is beyond repair.
   *
   * @example
   * ```ts
   * const snapshot = await sandbox.snapshot();
   * await sandbox.callHandler('greet', { name: 'World' }).catch(console.error);
   * await sandbox.restore(snapshot); // whatever the call has done is undone
   * ```
   */
  restore(snapshot: Snapshot): Promise<void>
  /** A handle to stop a running call with. */
  get interruptHandle(): InterruptHandle
  /** What the most recent call has cost, also if it failed; `null` before the first. */
  get lastCallStats(): CallStats | null
  /**
   * Whether a call did not run to its end, so that the guest's state cannot be trusted. A poisoned sandbox refuses
   * calls with `ERR_POISONED` until `restore()` or `unload()`.
   */
  get poisoned(): boolean
  /**
   * What can be done with the sandbox: `'ready'`, `'poisoned'` (see `poisoned`), or `'unrecoverable'` if an operation
   * has found it unrecoverable: then it is of no more use, and `poisoned` is `true` as well. `'disposed'` after `dispose()`.
   */
  get status(): SandboxStatus
  /**
   * Gives the sandbox's memory back at once instead of when the object is collected. A running call is stopped and
   * rejects with `ERR_CANCELLED`; calls that wait their turn, and all that come later, reject with `ERR_CONSUMED`. It
   * does nothing if the object was consumed.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been given back. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A sandbox without its runtime yet, which is given its host functions. `SandboxBuilder.build()` makes it. */
export declare class ProtoJSSandbox {
  private constructor()
  /**
   * A module of host functions, which guest code imports from `host:NAME`. It exists once a function is registered in
   * it; several objects of one name stand for the same module.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is no string or empty.
   * - `ERR_CONSUMED`: `loadRuntime()` was called already.
   */
  hostModule(name: string): HostModule
  /**
   * Registers one host function: `hostModule(moduleName).register(functionName, callback)`.
   *
   * Throws as these do.
   */
  register(moduleName: string, functionName: string, callback: (...args: any[]) => any): HostModule
  /**
   * Registers one asynchronous host function: `hostModule(moduleName).registerAsync(functionName, callback)`.
   *
   * Throws as these do.
   */
  registerAsync(moduleName: string, functionName: string, callback: (...args: any[]) => any): HostModule
  /**
   * Starts the micro-VM with the JavaScript runtime in it. Consumes this object, also when it fails.
   *
   * The first sandbox of a process boots the guest; the others start from a snapshot of it.
   *
   * Rejects with:
   * - `ERR_CONSUMED`: it was called already.
   * - `ERR_INVALID_ARG`: a host function is missing that the snapshot to start from needs.
   * - `ERR_GUEST_ABORT`: the guest does not boot.
   * - `ERR_INTERNAL`: the memory or the file descriptors for the VM cannot be had.
   */
  loadRuntime(): Promise<JSSandbox>
  /**
   * Gives up the sandbox and what it holds at once instead of when the object is collected. Its methods give
   * `ERR_CONSUMED` from then on. It does nothing if the object was consumed.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when everything has been given back. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Settings of a sandbox. Every setting has a default, so a builder left as it is is valid.
 *
 * A sandbox is a micro-VM of its own. Sizes are limits: memory is taken when the guest first writes to it.
 *
 * @example
 * ```ts
 * const builder = new SandboxBuilder().setHeapSize(16 * 1024 * 1024);
 * const protoSandbox = await builder.build();
 * const jsSandbox = await protoSandbox.loadRuntime();
 * jsSandbox.addHandler('greet', 'function handler({ name }) { return `Hello, ${name}!`; }');
 * const sandbox = await jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 1000 });
 * console.log(await sandbox.callHandler('greet', { name: 'World' }, { wallClockTimeoutMs: 1000 }));
 * ```
 */
export declare class SandboxBuilder {
  /** A builder with the default settings. */
  constructor()
  /**
   * A builder for a sandbox that starts in the state of a snapshot, with its settings, which cannot be changed.
   *
   * `build()`, `loadRuntime()` and `getLoadedSandbox()` follow as always, and the sandbox needs at least the host functions
   * of the one that the snapshot was taken of. Its handlers and modules are there already; none can be added until
   * `unload()`, which forgets those of the snapshot.
   *
   * - `snapshot`: from `LoadedJSSandbox.snapshot()` or `Snapshot.load()`.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no `Snapshot`.
   * - `ERR_CONSUMED`: the snapshot was disposed of.
   *
   * @example
   * ```ts
   * const saved = await Snapshot.load('greeter', digest);
   * const protoSandbox = await SandboxBuilder.fromSnapshot(saved).build();
   * const sandbox = await (await protoSandbox.loadRuntime()).getLoadedSandbox();
   * ```
   */
  static fromSnapshot(snapshot: Snapshot): SandboxBuilder
  /**
   * Sets how much memory the guest's JavaScript may use: its objects, strings and code. Gives the builder back.
   *
   * - `bytes`: a whole number from 1 MiB to 6 GiB. Default: 64 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no such number.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  setHeapSize(bytes: number): this
  /**
   * Sets the guest's memory beside its heap. All of it but half a MiB is the stack. Gives the builder back.
   *
   * - `bytes`: a whole number from 1 MiB to 64 MiB. Default: 1.5 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no such number.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  setScratchSize(bytes: number): this
  /**
   * Sets the limit of an event: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The source of
   * a handler or a module, and the result of a host function, have the same limit. Gives the builder back.
   *
   * - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no such number.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  setInputBufferSize(bytes: number): this
  /**
   * Sets the limit of a result: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The arguments
   * of a host function have the same limit. Gives the builder back.
   *
   * - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no such number.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  setOutputBufferSize(bytes: number): this
  /**
   * Sets how many values a result may consist of: objects, arrays, their members, and the names of those. The arguments of
   * a host function have the same limit; with more of them its call throws a `HostFunctionError`. It is no part of a
   * snapshot. Gives the builder back.
   *
   * The JavaScript thread parses a result at one go, which takes up to half a microsecond for each value, and for 100,000
   * and more of them up to a whole one.
   *
   * - `count`: a whole number from 1 to 134,217,728. Default: 131,072.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is no such number.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  setMaxOutputValues(count: number): this
  /**
   * Sets what takes the lines that guest code writes to its console. Default: the process's standard output for
   * `debug` and `info`, its standard error for `warn` and `error`; another thread writes them, so they may come later than
   * what the program itself writes. It is no part of a snapshot. Gives the builder back.
   *
   * - `callback`: is called for each line, in their order, on the thread that called `setHostPrintFn()`. The guest
   *   does not wait for it. The lines of a call come before the call's promise is settled. The text is what untrusted
   *   code made of it: it may hold line breaks and control characters.
   *
   * If the callback throws, or gives a promise that is rejected, the process gets a warning the first time, and nothing
   * else happens. Lines that wait for a busy thread, or for standard output to be read, may take 16 MiB for each
   * sandbox; more are dropped, and a line with the level `warn` says how many.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the callback is no function.
   * - `ERR_CONSUMED`: `build()` was called already.
   *
   * @example
   * ```ts
   * builder.setHostPrintFn((level, text) => console.log(JSON.stringify({ level, text })));
   * ```
   */
  setHostPrintFn(callback: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void): this
  /**
   * Boots the guest as which all sandboxes with these settings start, unless this process has done so already. Otherwise the
   * first of them does it in `loadRuntime()`, which takes some hundredths of a second; others wait meanwhile. Does not
   * consume the builder. One that starts from a snapshot has nothing to boot.
   *
   * Rejects with:
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be made here; the message says why and what to do.
   * - `ERR_INVALID_ARG`: it starts from a snapshot, but a setting is not the snapshot's.
   * - `ERR_CONSUMED`: `build()` was called already.
   */
  prewarm(): Promise<void>
  /**
   * Checks the settings and that there is a hypervisor. Consumes the builder, also when it fails.
   *
   * Rejects with:
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be made here; the message says why and what to do.
   * - `ERR_INVALID_ARG`: it starts from a snapshot, but a setting is not the snapshot's.
   * - `ERR_CONSUMED`: the builder was used already.
   */
  build(): Promise<ProtoJSSandbox>
}

/**
 * Several sandboxes that are alike, for clean state at every request. A request gets one in the state that it was prepared
 * in; afterwards it is put back into that state, off the request's path, poisoned ones as well. So no request sees what
 * another has left.
 *
 * @example
 * ```ts
 * const pool = new SandboxPool({ size: 4, snapshot: await sandbox.snapshot() });
 * console.log(await pool.callHandler('greet', { name: 'World' }, { wallClockTimeoutMs: 1000 }));
 * await pool.close();
 * ```
 */
export declare class SandboxPool {
  /**
   * A pool. It begins to make its sandboxes at once; requests may be made at once as well and wait for them.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: there is something wrong with the options.
   * - `ERR_CONSUMED`: the snapshot was disposed of.
   */
  constructor(options: PoolOptions)
  /**
   * Calls a handler in a sandbox that no request has used before, as `LoadedJSSandbox.callHandler()` does, and gives what
   * it returns. If no sandbox is ready, the request waits, behind those that were made before; timeouts do not count that
   * time.
   *
   * Rejects as `LoadedJSSandbox.callHandler()` does, which harms neither the pool nor other requests, and with:
   * - `ERR_POOL_FULL`: no sandbox is ready, and too many requests wait already.
   * - `ERR_POOL_PREPARE`: the pool has no sandbox, and none could be made; the message says why. The next request tries
   *   again.
   * - `ERR_CONSUMED`: `close()` was called.
   * - `ERR_REENTRANT`: it was called during a host function that a call of this pool waits for.
   *
   * The option `signal` stops this request and no other; one that waits gives up its place at once.
   */
  callHandler<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<T>
  /** As `callHandler()`, but gives what the handler returns together with what the call has cost. */
  callHandlerWithStats<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<CallResult<T>>
  /** Number of sandboxes that the pool is to have. */
  get size(): number
  /** Number of sandboxes that are ready for a request. */
  get ready(): number
  /** Number of requests that wait for a sandbox. */
  get waiting(): number
  /**
   * What the call that ended last has cost, also if it failed; `null` before the first. Whose call that was cannot be told
   * where several are made at a time: `callHandlerWithStats()` gives what it is that one call has cost, and so does its error.
   */
  get lastCallStats(): CallStats | null
  /**
   * A handle that stops the oldest request that has not ended, also one that waits: then it rejects when its turn comes. To
   * stop a certain request, whoever else uses the pool, give it the option `signal`.
   */
  get interruptHandle(): InterruptHandle
  /**
   * Refuses requests from now on, those that wait included, with `ERR_CONSUMED`. Calls that run go on to their end. The
   * promise is fulfilled when they have ended and the memory has been given back.
   */
  close(): Promise<void>
  /** `close()`, for `using`, without waiting for its end. */
  [Symbol.dispose](): void
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The state of a sandbox at one point in time: handlers, modules and all their variables. `LoadedJSSandbox.snapshot()`
 * and `Snapshot.load()` make it.
 */
export declare class Snapshot {
  private constructor()
  /**
   * Writes the snapshot into a folder, an OCI image layout, from which `Snapshot.load()` reads it. Returns its digest.
   *
   * All of the guest's memory is in it, secrets included.
   *
   * - `path`: the folder. It is created if it does not exist; its parent must. It can hold any number of snapshots. Two
   *   processes must not save to it at the same time: the tag of one of them may be lost.
   * - `tag`: the snapshot's name in the folder, 1 to 128 ASCII letters, digits, `_`, `.` and `-`, the first of them no `.`
   *   or `-`. Default: `latest`. If another snapshot in the folder has the tag, this one takes the tag over; the other can
   *   still be loaded by its digest, and its files stay.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: the path is no string or empty, or the tag is malformed.
   * - `ERR_SNAPSHOT`: the folder cannot be written.
   * - `ERR_CONSUMED`: the snapshot was disposed of.
   *
   * @example
   * ```ts
   * const digest = await (await sandbox.snapshot()).save('greeter');
   * ```
   */
  save(path: string, tag?: string): Promise<string>
  /**
   * Reads a snapshot from a folder that `save()` has written.
   *
   * Before anything of it is used, these are checked: that the files are complete and hash to what the folder says, that
   * the snapshot was taken by this version of this module, on the same hypervisor and kind of processor, that its settings
   * are within their ranges, and that a VM can start from it. This does not show who made it: whoever can write to the
   * folder can put another snapshot there. To be sure of that, keep the digest elsewhere and load by it.
   *
   * What is checked and used is a copy, in a private file in the system's folder for temporary files (`TMPDIR`) that has no
   * name: what becomes of the folder afterwards does not matter. Its disk space is given back with the snapshot and the last
   * sandbox that was made of it.
   *
   * - `path`: the folder.
   * - `tagOrDigest`: the snapshot's tag, or the digest that `save()` returned. Default: the tag `latest`.
   * - `options.signal`: stops it when it is aborted: a large snapshot takes seconds to copy and to check.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: an argument is of a wrong type, or the path is empty.
   * - `ERR_CANCELLED`: the signal was aborted.
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be made here.
   * - `ERR_SNAPSHOT`: the snapshot cannot be read or copied or does not pass; the message says why.
   */
  static load(path: string, tagOrDigest?: string, options?: LoadSnapshotOptions): Promise<Snapshot>
  /**
   * Gives the memory back at once instead of when the object is collected. Restoring the snapshot gives `ERR_CONSUMED`
   * from then on. Sandboxes that it was restored into are not affected.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been given back. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What a call of a handler has cost. */
export interface CallStats {
  /** Milliseconds that passed during the call. */
  wallClockMs: number
  /** Milliseconds of processor time that it took; `null` where that cannot be measured. */
  cpuTimeMs: number | null
  /** What stopped the call: `'wall-clock'` or `'cpu-time'`; `null` if no timeout did. */
  terminatedBy: 'wall-clock' | 'cpu-time' | null
}
