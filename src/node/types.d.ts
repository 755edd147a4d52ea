/* Made by `napi build` from src/node. Do not edit it. */
/// <reference lib="esnext.disposable" />

/**
 * What every method throws or rejects with: an `Error` whose `code` says what is wrong. The README has a table of the codes.
 *
 * ```ts
 * try {
 *   await loaded.callHandler('greet', event);
 * } catch (thrown) {
 *   const error = thrown as SandboxError;
 *   if (error.code === 'ERR_GUEST_ERROR') console.error(error.guestStack);
 *   else throw error;
 * }
 * ```
 */
export type SandboxError = CompileError | GuestError | PayloadTooLargeError | OtherError;

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
}

/** A handler threw, or its promise was rejected. */
export interface GuestError extends Error {
  code: 'ERR_GUEST_ERROR';
  /** The name of what was thrown, such as `TypeError`; empty if that is no error. */
  guestName: string;
  /** The message of what was thrown, or that itself as text. At most 16 KiB. */
  guestMessage: string;
  /** The guest's stack trace, one frame a line. Lines and columns are those of the handler's source. */
  guestStack: string;
}

/** An event, a result or a source is larger than the limit. */
export interface PayloadTooLargeError extends Error {
  code: 'ERR_PAYLOAD_TOO_LARGE';
  /** Its size in bytes. */
  size: number;
  /** The limit in bytes. */
  limit: number;
}

/** An error that has nothing but its code and its message. */
export interface OtherError extends Error {
  code:
    | 'ERR_CANCELLED'
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
