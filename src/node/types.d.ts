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
