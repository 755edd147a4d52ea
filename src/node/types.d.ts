/* Made by `napi build` from src/node. Do not edit it. */
/// <reference lib="esnext.disposable" />

/**
 * The error that every method throws or rejects with: an `Error` with a `code`. `docs/errors.md` has a table of the
 * codes. `isSandboxError()` recognizes such an error; a comparison of its `code` narrows its type.
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
 * Whether a value is an error of this package: an `Error` with one of its codes as an own property. Unlike `instanceof
 * Error` it works for errors from other realms, such as `node:vm` contexts and some test runners.
 */
export declare function isSandboxError(value: unknown): value is SandboxError;

/** `HostFunctionModule` under its name in hyperlight-js. */
export { HostFunctionModule as HostModule };

/** A handler or a module cannot be compiled, linked or evaluated. */
export interface CompileError extends Error {
  code: 'ERR_COMPILE';
  /** Name of the handler, or specifier of the module; or of the original source, if it ends with a source map. */
  file: string;
  /** Line in that source, from 1; 0 if unknown. */
  line: number;
  /** Column in that source, from 1; 0 if unknown. */
  column: number;
  /** The guest's stack trace, one frame a line; empty if there is none. */
  guestStack: string;
  /** The cost of the evaluation. */
  stats: CallStats;
  /** As in `GuestThrown`. */
  guestCode?: string | number;
  /** As in `GuestThrown`. */
  guestProperties: Record<string, unknown>;
  /** As in `GuestThrown`. */
  cause?: GuestThrown;
  /** As in `GuestThrown`. */
  errors?: GuestThrown[];
  /** What is known of a run that has begun, or of such a call of `callHandlerWithReceipt()`. */
  receipt?: Receipt;
}

/** An exception of guest code. Everything in it comes from the guest; do not trust it. */
export interface GuestThrown extends Error {
  code: 'ERR_GUEST_ERROR';
  /** The name of the error that was thrown, such as `TypeError`; empty if it was not an error. */
  guestName: string;
  /** The message of the error that was thrown, or any other thrown value as text. At most 16 KiB. */
  guestMessage: string;
  /**
   * The guest's stack trace, one frame a line. Files, lines and columns are those of the sources, or of their originals if a
   * source ends with a source map. At most 16 KiB.
   */
  guestStack: string;
  /** The `code` of what was thrown, if that is a string or a number. */
  guestCode?: string | number;
  /** Its own enumerable properties that JSON can represent, and its `code`. At most 16 KiB of JSON. */
  guestProperties: Record<string, unknown>;
  /** Its `cause`, of whatever type, if it had one. Causes and errors are nested at most 8 levels deep. */
  cause?: GuestThrown;
  /** The first 16 of its `errors`, if it had any, as an `AggregateError` has. */
  errors?: GuestThrown[];
}

/** A handler threw, or its promise was rejected. Its `stack` has the guest's frames and then those of the call. */
export interface GuestError extends GuestThrown {
  /** The cost of the call. */
  stats: CallStats;
  /** What is known of a run that has begun, or of such a call of `callHandlerWithReceipt()`. */
  receipt?: Receipt;
}

/** An event, a result or a source is larger than the limit, or a result has too many values. */
export interface PayloadTooLargeError extends Error {
  code: 'ERR_PAYLOAD_TOO_LARGE';
  /** Its size in bytes, or the number of its values. */
  size: number;
  /** The limit of `size`. */
  limit: number;
  /** The unit of `size` and `limit`. See `SandboxBuilder.setMaxOutputValues()` for values. */
  unit: 'bytes' | 'values';
  /** The cost of the call, if it has begun. */
  stats?: CallStats;
  /** What is known of a run that has begun, or of such a call of `callHandlerWithReceipt()`. */
  receipt?: Receipt;
}

/** A call, or `getLoadedSandbox()`, was stopped from outside. Its `cause` is the reason of the aborted signal. */
export interface CancelledError extends Error {
  code: 'ERR_CANCELLED';
  /** The timeout that stopped it, or `'signal'`; `null` if it was `kill()` or `dispose()`. */
  terminatedBy: 'wall-clock' | 'cpu-time' | 'signal' | null;
  /** Its cost, if it has begun. */
  stats?: CallStats;
  /** What is known of a run that has begun, or of such a call of `callHandlerWithReceipt()`. */
  receipt?: Receipt;
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
  /** The cost of the call, if it has begun. */
  stats?: CallStats;
  /** What is known of a run that has begun, or of such a call of `callHandlerWithReceipt()`. */
  receipt?: Receipt;
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

/** Options of `SandboxBuilder.prewarm()`. */
export interface PrewarmOptions {
  /**
   * How many sandboxes are kept in stock from now on, for the whole process: micro-VMs with the runtime in them, which
   * `loadRuntime()` takes instead of creating one. 0 to 256, those of all settings together; 0 gives the stock up.
   *
   * The settings are those of the guest: its sizes, or the snapshot that the builder starts from. All else is of whoever
   * takes the sandbox: host functions, environment, console. None is taken twice, and none that was in use gets back.
   * What is taken is created again in the background, which does not keep the process alive.
   *
   * Each takes about 0.7 MiB. When less than a sixteenth of the machine's memory, or of that of a control group of the
   * process, is left, or when there is no memory or no file descriptor for a sandbox that is needed now, the stock is
   * given up, and created again 10 seconds later at the earliest.
   */
  sandboxes?: number;
}

/** Options of a source. */
export interface SourceOptions {
  /**
   * The language of the source. The guest removes the types of TypeScript without checking them; lines and columns stay.
   * `'jsx'` and `'tsx'` are JavaScript and TypeScript with JSX. Default: what the ending of the name of the handler or module
   * says: `'typescript'` for `.ts` and `.mts`, `'jsx'` for `.jsx`, `'tsx'` for `.tsx`, otherwise `'javascript'`.
   */
  language?: 'javascript' | 'typescript' | 'jsx' | 'tsx';
}

/** Limits of the time of guest code, and a signal that stops it. */
export interface LoadOptions {
  /** Milliseconds after which the call is stopped, even if it is waiting: 1 to 3,600,000. Default: no limit. */
  wallClockTimeoutMs?: number;
  /**
   * Milliseconds of processor time after which the call is stopped: 1 to 3,600,000. The time of host functions does
   * not count. Default: no limit.
   */
  cpuTimeoutMs?: number;
  /** Stops this call and no other when it is aborted. */
  signal?: AbortSignalLike;
  /**
   * What happens if a promise was rejected and nothing has handled that when the call ends. With `'warn'` it is an `error` line on
   * the guest's console. With `'error'` the call fails with the reason of the first one, with `ERR_GUEST_ERROR`, or with
   * `ERR_COMPILE` in `getLoadedSandbox()`. Default: `'warn'`.
   */
  unhandledRejections?: 'warn' | 'error';
  /**
   * Number of calls of host functions, synchronous and asynchronous, that the call can make: 0 to 4,294,967,295. Calls
   * beyond it are not made; in the guest they throw, or reject with, a `HostFunctionError` whose `hostName` is
   * `RangeError`. Default: 100,000.
   */
  maxHostCalls?: number;
  /**
   * Number of calls of asynchronous host functions that the call can have in flight: 0 to 1,000. Calls beyond it are
   * rejected in the same way. Default: 1,000.
   */
  maxHostCallsInFlight?: number;
  /**
   * What the callbacks of host functions find as `hostCall().context`: anything. It does not go to the guest. Default:
   * `undefined`.
   */
  context?: any;
}

/** What a host function can know of the call that it serves. `hostCall()` returns it. */
export interface HostCall {
  /** The option `context` of the guest's call. */
  readonly context: any;
  /**
   * Is aborted when the guest's call ends for any reason, so that what the host function has begun need not outlive it.
   * Its reason is an `AbortError`.
   */
  readonly signal: AbortSignal;
  /** Name of the module of the host function. */
  readonly module: string;
  /** Name of the host function. */
  readonly name: string;
}

/** Options of `callHandler()`. */
export interface CallHandlerOptions extends LoadOptions {
  /**
   * Whether the guest collects garbage after the call if its memory has grown by more than 64 KiB since the last
   * collection. Only reference cycles need it; everything else is freed at once. Default: `true`.
   */
  gc?: boolean;
  /**
   * Host functions that this call can call and no other, by module and name: `functions: { db: { find } }`. Guest code
   * finds `find` as `db.find`, and in the module `host:db` if it imports that during the call. It gets a promise for the
   * result; the functions of a module that `sync()` has marked make it wait instead. Only own enumerable properties count.
   * They come before functions of the same names that the sandbox has. A module's name must not be that of a global of
   * the guest.
   */
  functions?: Record<string, Record<string, (...args: any[]) => any>>;
  /**
   * What the call can request by the global `fetch`: docs/fetch.md says how. It comes before the policy that the sandbox was
   * given by `SandboxBuilder.allowFetch()`. Default: that policy; without one there is no `fetch`.
   */
  fetch?: FetchPolicy;
  /**
   * Bytes that the guest's JavaScript may use during the call, with all that the sandbox keeps and what the runtime itself
   * uses: 1 to 6,442,450,944. Code that needs more gets an exception that it can catch, as where the heap is used up. A limit
   * above the size of the heap changes nothing. Default: the size of the heap.
   */
  memoryLimitBytes?: number;
}

/** What guest code can request by `fetch`. Numbers and bytes are limits of one call. */
export interface FetchPolicy {
  /**
   * What can be requested; at most 1,000 elements, of which the first that allows a request counts. A text is an origin, of
   * which all paths can be requested by `GET` and `HEAD`.
   */
  allow: (string | FetchRule)[];
  /** Whether origins can have the scheme `http:`. Default: `false`. */
  allowHttp?: boolean;
  /** Number of requests, each redirection being one more: 1 to 100,000. Default: 100. */
  maxRequests?: number;
  /** Number of requests that are open at the same time; more wait: 1 to 256. Default: 16. */
  maxConcurrent?: number;
  /** Bytes of the bodies of requests: 0 to 1 GiB. Default: 10 MiB. */
  maxRequestBytes?: number;
  /** Bytes of the bodies of responses, decompressed: 0 to 1 GiB. Default: 64 MiB. */
  maxResponseBytes?: number;
  /** Number of redirections of one request: 0 to 20. Default: 20. */
  maxRedirects?: number;
  /** Milliseconds from the beginning of a request to the end of its response's body: 1 to 3,600,000. Default: 30,000. */
  timeoutMs?: number;
  /** Names of headers of responses that guest code does not see, beside those that it never sees. */
  hideResponseHeaders?: string[];
  /**
   * Sees each request before it is made, also the one after each redirection, and refuses it by returning `false`, by throwing,
   * or by a promise of either. `hostCall()` tells of which call it is.
   */
  onRequest?: (request: FetchRequest) => unknown;
  /** Resolves the name of a server, instead of the operating system: addresses, which are checked as those of that are. */
  resolve?: (hostname: string, options: { signal: AbortSignal }) => string[] | PromiseLike<string[]>;
  /** Certificates of the authorities that are trusted, as for `tls.connect()`. Default: those of Node.js. */
  ca?: string | Uint8Array | (string | Uint8Array)[];
}

/** Requests that a `FetchPolicy` allows. */
export interface FetchRule {
  /**
   * A scheme, a name or an address, and a port: `https://example.com`, `https://*.example.com` for all names below that one,
   * `https://*` for all servers.
   */
  origin: string;
  /** Methods. Default: `GET` and `HEAD`. */
  methods?: string[];
  /** Beginnings of paths, up to a slash: `/v1` allows `/v1` and `/v1/items`, but not `/v10`. Default: all paths. */
  paths?: string[];
  /**
   * Headers that are added, in place of those by guest code: secrets, which guest code does not see. A function is called for
   * each request.
   */
  headers?: Record<string, string | (() => string | PromiseLike<string>)>;
  /**
   * Addresses that the server may have though they are not public, such as those of an internal service: `10.1.2.3`,
   * `10.1.0.0/16`, `fd00:1::/64`.
   */
  allowAddresses?: string[];
}

/** A request that is about to be made. */
export interface FetchRequest {
  /** The method, in capital letters. */
  method: string;
  /** The URL, as it is requested. */
  url: string;
  /** The headers by guest code, with lowercase names. */
  headers: Record<string, string>;
  /** How many redirections there were before. */
  redirects: number;
}

/** Options of `callHandlerWithReceipt()`. */
export interface CallHandlerWithReceiptOptions extends CallHandlerOptions {
  /** Bytes that the receipt's lines of the console may take, 0 to 16,777,216; each counts 32 more. Default: 65,536. */
  maxConsoleBytes?: number;
}

/** Options of `Snapshot.load()`. */
export interface LoadSnapshotOptions {
  /** Stops loading when it is aborted. */
  signal?: AbortSignalLike;
}

/** The members of an `AbortSignal` that are used. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The result and the cost of a call. */
export interface CallResult<T = any> {
  /** The value that the handler returned. */
  value: T;
  /** The cost of the call. */
  stats: CallStats;
}

/** Options of `run()` and `SandboxPool.run()`. */
export interface RunOptions extends CallHandlerWithReceiptOptions {
  /**
   * The language of the source. The guest removes the types of TypeScript without checking them; lines and columns stay.
   * `'jsx'` and `'tsx'` are JavaScript and TypeScript with JSX. Of modules the ending of the specifier says the language: `.ts`,
   * `.mts`, `.jsx` or `.tsx`. Default: `'javascript'`.
   */
  language?: 'javascript' | 'typescript' | 'jsx' | 'tsx';
  /**
   * What the program is given: the global `input`, and the argument of the function that is called, if one is. Anything
   * that `JSON.stringify` can express, with binary data, as an event. Default: `undefined`.
   */
  input?: any;
  /** Sources of ES modules that the program can import, by specifier. */
  modules?: Record<string, string>;
}

/** What `run()` and `callHandlerWithReceipt()` resolve to. */
export interface RunResult<T = any> {
  /** The value of the program or of the handler; `undefined` if JSON cannot express it. */
  value: T;
  /** What is known of the run or the call. */
  receipt: Receipt;
}

/** What is known of a run, or of a call. */
export interface Receipt extends Omit<CallStats, 'hostCalls'> {
  /** The host functions that were called, by module and name, such as `'db.find'`. */
  hostCalls: Record<string, { count: number; totalMs: number }>;
  /** The first lines of the console, with the time in milliseconds since the run or the call was asked for. */
  console: { level: 'debug' | 'info' | 'warn' | 'error'; text: string; atMs: number }[];
  /** How many lines came after them. */
  droppedLines: number;
  /** Size of the input, or of the event, in bytes. */
  inputBytes: number;
  /** Size of the value in bytes. */
  outputBytes: number;
  /** The guest that ran the program or the handler: `SandboxBuilder.guestImage.hash`. */
  guestImage: string;
  /**
   * Digest of the snapshot in whose state the sandbox was started, or to which it was restored last, as `Snapshot.save()`
   * returns it. `null` if that was neither saved to a folder nor loaded from one before the call began.
   */
  snapshotDigest: string | null;
}

/**
 * Runs a program in a sandbox with clean state, in a pool of the package's own: `SandboxPool.run()` says how. The pool has a
 * sandbox for each processor. It is created by the first call, and does not keep the process alive.
 */
export declare function run<T = any>(source: string, options?: RunOptions): Promise<RunResult<T>>;

/** All metrics of the process so far, by name. `docs/observability.md` has their table. */
export declare const metrics: {
  /** All of them: those of all threads and of all sandboxes. */
  (): Record<string, Metric>;
  /** The same in Prometheus's text format, for the response to `GET /metrics` with the type `text/plain; version=0.0.4`. */
  prometheus(): string;
};

/** A metric: a counter, a gauge or a histogram. */
export type Metric = CountedMetric | HistogramMetric;

/** A counter, which only grows, or a gauge. */
export interface CountedMetric {
  kind: 'counter' | 'gauge';
  /** What is counted: `'count'`, `'seconds'` or `'bytes'`. */
  unit: string;
  description: string;
  series: { labels: Record<string, string>; value: number }[];
}

/** A histogram. */
export interface HistogramMetric {
  kind: 'histogram';
  /** As in `CountedMetric`. */
  unit: string;
  description: string;
  series: HistogramSeries[];
}

/** The samples of a histogram that have the same labels. */
export interface HistogramSeries {
  labels: Record<string, string>;
  /** Number of all samples. */
  count: number;
  /** Sum of all samples. */
  sum: number;
  /** Numbers of samples up to a bound, in ascending order of the bounds. */
  buckets: { le: number; count: number }[];
}

/** Marks functions for the option `functions` as such that the guest waits for, instead of getting a promise. */
export declare function sync<T extends Record<string, (...args: any[]) => any>>(functions: T): T;

/** Options of a `SandboxPool`: its size, and where its sandboxes come from. */
export type PoolOptions = PoolSize & (PoolOfRuntime | PoolFromSnapshot | PoolFromFunction);

/** Sizes of a `SandboxPool`. */
export interface PoolSize {
  /** Number of sandboxes, 1 to 1,024. */
  size: number;
  /** Number of requests that may wait for a sandbox, 0 to 1,000,000. Default: 1,000. */
  maxQueue?: number;
}

/** A `SandboxPool` of sandboxes without handlers, for `run()`. */
export interface PoolOfRuntime {
  /** As in `PoolFromSnapshot`. In a run without it, lines are in the receipt only. */
  hostPrintFn?: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  /** As in `PoolFromSnapshot`. */
  maxOutputValues?: number;
  snapshot?: undefined;
  prepare?: undefined;
}

/** A `SandboxPool` of sandboxes in the state of a snapshot. */
export interface PoolFromSnapshot {
  /**
   * The state in which each request gets its sandbox. Host functions that its handlers have imported come with each
   * call, by the option `functions`; those that all calls share are for `prepare`.
   */
  snapshot: Snapshot;
  /**
   * Receives the lines of the guests' consoles, as with `SandboxBuilder.setHostPrintFn()`. Default: the lines are
   * written to the process's standard output and standard error.
   */
  hostPrintFn?: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  /** Limit of the number of values in a result, as with `SandboxBuilder.setMaxOutputValues()`. Default: 131,072. */
  maxOutputValues?: number;
  prepare?: undefined;
}

/** A `SandboxPool` of sandboxes that a function makes. */
export interface PoolFromFunction {
  /**
   * Returns a sandbox in the state in which each request gets it. It is called `size` times at the start, and again to
   * replace an unrecoverable sandbox. The sandbox belongs to the pool from then on.
   */
  prepare: () => LoadedJSSandbox | PromiseLike<LoadedJSSandbox>;
  snapshot?: undefined;
  hostPrintFn?: undefined;
  maxOutputValues?: undefined;
}

/**
 * Identifies the guest: the kernel and the runtime that are embedded in a build of this package and run in every
 * sandbox.
 */
export interface GuestImage {
  /** Version of this package, which includes the guest, such as `1.2.3`. */
  readonly version: string;
  /**
   * SHA-256 of the kernel's image followed by the runtime's, both of them ELF files, as 64 lowercase hexadecimal
   * digits. Two builds with the same hash run the same guest, and each can load a `Snapshot` of the other.
   */
  readonly hash: string;
}

export declare namespace SandboxBuilder {
  /** The guest that runs in every sandbox. */
  export const guestImage: GuestImage;
}
