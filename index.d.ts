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
/**
 * A module of host functions, which guest code imports from `host:NAME`.
 *
 * `ProtoJSSandbox.hostModule()` returns a module of that sandbox: what is registered in it is registered in the sandbox. A
 * module that `new HostFunctionModule(name)` makes belongs to no sandbox: `SandboxBuilder.addHostFunctionModule()` gives a
 * builder the functions that it has at that time. The sandboxes share these, so data that a callback keeps for one guest must
 * not reach another.
 */
export declare class HostFunctionModule {
  /**
   * A module without functions, which belongs to no sandbox.
   *
   * - `name`: 1 to 256 bytes in UTF-8 without control characters, not all of them white space. It must not begin with
   *   `hyperlight:`.
   *
   * Throws with `ERR_INVALID_ARG`: the name is not a string or is malformed.
   */
  constructor(name: string)
  /** The module's name. */
  get name(): string
  /**
   * Registers a function in the module. Returns the module. A function that was registered under the same name is
   * replaced.
   *
   * - `name`: the name by which guest code imports the function: 1 to 256 bytes in UTF-8 without control characters, not
   *   all of them white space.
   * - `callback`: is called with the guest's arguments, on the thread that registered it. Its result is passed to
   *   the guest as JSON. A value that `JSON.stringify` omits, such as a function or `undefined`, arrives as
   *   `undefined`. A `Uint8Array`, a `Buffer` or an `ArrayBuffer` arrives as a `Uint8Array`; so it does in the
   *   arguments. A promise or another thenable is awaited; the guest waits in the meantime, the event loop does not.
   *
   * If the callback throws, rejects, or returns a value that `JSON.stringify` rejects (a cyclic object, a BigInt),
   * the guest's call throws a `HostFunctionError` with the same message and with the error's name as `hostName`.
   * `code`, other own enumerable properties that JSON can represent, `cause` and `errors` are passed too; the stack
   * is not. For a thrown value that is not an error, the message is the value as text, and `hostName` is empty.
   *
   * The guest waits until the promise is settled. To limit that time, use a timeout of `callHandler()`, or `kill()`;
   * a result that arrives later is dropped.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is not a string or is malformed, or the callback is not a function.
   * - `ERR_CONSUMED`: `loadRuntime()` of the module's sandbox has been called.
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
   * Registers an asynchronous function: like `register()`, but guest code gets a promise at once and continues. So
   * several calls can be in progress at the same time, and a sandbox that waits for them occupies no thread.
   *
   * The guest's promise is fulfilled with the result of the callback, which is awaited if it is a promise or another
   * thenable. It is rejected with a `HostFunctionError` where a function of `register()` would throw one. If the
   * guest's call ends before the callback does, the result of the callback is dropped.
   *
   * A call of a handler, or `getLoadedSandbox()`, may have 1,000 calls of asynchronous functions in flight, and
   * 100,000 calls of host functions in total, unless its options `maxHostCallsInFlight` and `maxHostCalls` say
   * otherwise. The arguments of those in flight may take 16 times the size of the output buffer; the results that the
   * guest has not taken yet, 64 MiB. Calls beyond these limits are rejected with a `HostFunctionError` whose
   * `hostName` is `RangeError`.
   *
   * Throws the same errors as `register()`.
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
 * Stops what a sandbox is doing. `LoadedJSSandbox.interruptHandle` and `JSSandbox.interruptHandle` return it. It
 * refers to the sandbox in all of its states, from `JSSandbox` to `LoadedJSSandbox` and back.
 *
 * It can be used from a timer or a signal handler, for example: the event loop is free while guest code runs.
 */
export declare class InterruptHandle {
  private constructor()
  /**
   * Stops the running call of a handler, which rejects with `ERR_CANCELLED` and poisons the sandbox; or the running
   * `getLoadedSandbox()`, which rejects with `ERR_CANCELLED`, after which the `JSSandbox` stays usable.
   *
   * It returns at once, and does nothing if there is nothing to stop. If there are several calls, it stops the
   * oldest one that has not ended, even if that has not started yet. The others are not stopped, but find the
   * sandbox poisoned.
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
 * and `LoadedJSSandbox.unload()` return it.
 */
export declare class JSSandbox {
  private constructor()
  /**
   * Adds a handler. It is compiled by `getLoadedSandbox()`.
   *
   * - `name`: the name for `callHandler()`; 1 to 256 bytes in UTF-8 without control characters, not only white
   *   space, and different from the name of every other handler.
   * - `code`: the source of an ES module that defines `function handler(event)`; the function may be `async` and
   *   need not be exported. If it defines none, the handler is what it exports as `handler`, or else its default
   *   export. Or CommonJS: `module.exports = function`, or `exports.handler`. At most as many bytes in UTF-8 as an
   *   eighth of the heap, 8 MiB, or the input buffer if that is larger.
   * - `options`: the language, see `SourceOptions`. Unless this says it, the ending of the name does: `.ts`, `.mts`,
   *   `.jsx`, `.tsx`.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is malformed, already used, or begins with `hyperlight:`, an argument is invalid,
   *   or the sandbox was started from a snapshot of loaded handlers.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   *
   * @example
   * ```ts
   * jsSandbox.addHandler('add', 'export function handler({ a, b }) { return a + b; }');
   * ```
   */
  addHandler(name: string, code: string, options?: SourceOptions): void
  /**
   * Removes a handler.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: there is no handler of this name, or the name is not a string.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   */
  removeHandler(name: string): void
  /**
   * Removes all handlers.
   *
   * Throws with `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   */
  clearHandlers(): void
  /**
   * Adds a module, which handlers and other modules import as `NAMESPACE:NAME`: an ES module, CommonJS or JSON. It is
   * compiled when it is first imported, so modules can be added in any order and may import each other. All importers
   * share one instance.
   *
   * - `name`: 1 to 256 bytes in UTF-8 without control characters and colons, and not only white space.
   * - `source`: the source of the module, which may be as large as that of a handler.
   * - `namespace`: under the same rules as the name. Default: `user`. `host` and `hyperlight` are reserved.
   * - `options`: as of `addHandler()`.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name, the namespace or an option is invalid, there is such a module already, an argument
   *   has the wrong type, or the sandbox was started from a snapshot of loaded handlers.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
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
  addModule(name: string, source: string, namespace?: string, options?: SourceOptions): void
  /**
   * Removes a module.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: there is no module of this name in this namespace, or an argument is not a string.
   * - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   */
  removeModule(name: string, namespace?: string): void
  /**
   * Removes all modules.
   *
   * Throws with `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   */
  clearModules(): void
  /**
   * Takes a snapshot of the sandbox with the handlers and modules that were added so far; none of them is loaded. More
   * can be added to a sandbox that starts from it (`SandboxBuilder.fromSnapshot()`). It cannot be restored and cannot
   * be used for a pool.
   *
   * Rejects with:
   * - `ERR_CONSUMED`: `getLoadedSandbox()` has been called.
   * - `ERR_POISONED`: the sandbox is unrecoverable.
   */
  snapshot(): Promise<Snapshot>
  /**
   * Compiles and evaluates the handlers and the modules that they import. Consumes this object. If a handler cannot
   * be loaded, the object is not consumed, and keeps its handlers and modules.
   *
   * Modules may use top-level `await` over asynchronous host functions and timers; the promise waits for them.
   * Timers, host calls and results that are left over at the end of an evaluation are dropped.
   *
   * - `options`: limits for the evaluation of handlers and modules, see `LoadOptions`. Without limits, only
   *   `interruptHandle` stops code that never ends.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: the options are invalid. Nothing has happened.
   * - `ERR_COMPILE`: a source has a syntax error, imports something that does not exist, does not define a function
   *   `handler`, throws when it is evaluated, or waits for something that can never happen. The error has the
   *   properties `file` (name of the handler or module), `line` and `column` (both from 1; 0 if unknown) and
   *   `guestStack`.
   * - `ERR_PAYLOAD_TOO_LARGE`: a source is too large; `size` and `limit` are in bytes.
   * - `ERR_CONSUMED`: it has been called before.
   * - `ERR_CANCELLED`: the evaluation was stopped by a timeout, its signal or `kill()`. The error's `terminatedBy`
   *   names the timeout or is `'signal'`; its `cause` is the signal's reason.
   * - `ERR_GUEST_ABORT`: the guest ended the evaluation without finishing it.
   *
   * @example
   * ```ts
   * const sandbox = await jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 });
   * ```
   */
  getLoadedSandbox(options?: LoadOptions): Promise<LoadedJSSandbox>
  /** A handle that stops `getLoadedSandbox()`, and later the calls of the sandbox that it returned. */
  get interruptHandle(): InterruptHandle
  /**
   * Whether the sandbox is unrecoverable. Otherwise it is `false`: before `getLoadedSandbox()` and after `unload()`
   * there is no guest state that could be poisoned.
   */
  get poisoned(): boolean
  /**
   * `'ready'`; or `'unrecoverable'` if `getLoadedSandbox()` has found that the sandbox cannot be used any more; or
   * `'disposed'` after `dispose()`. It is never `'poisoned'`, see `poisoned`.
   */
  get status(): SandboxStatus
  /**
   * Frees the sandbox's memory at once instead of when the object is garbage-collected. From then on its methods
   * fail with `ERR_CONSUMED`. It does not affect a sandbox that `getLoadedSandbox()` has returned.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A sandbox with its handlers loaded. `JSSandbox.getLoadedSandbox()` returns it.
 *
 * State that a handler keeps at module level is kept between calls, until a snapshot is restored.
 *
 * Operations on one sandbox (calls, `snapshot()`, `restore()`, `unload()`) run one after the other, in the order in
 * which they were requested. During a host function they reject with `ERR_REENTRANT` if the sandbox's own call waits
 * for that function, directly or through a call of another sandbox.
 */
export declare class LoadedJSSandbox {
  private constructor()
  /**
   * Calls a handler. Resolves to the value that the handler returned.
   *
   * Calls on one sandbox run one after the other, in the order in which they were made; calls on different sandboxes
   * run in parallel. If the handler returns a promise, it is awaited.
   *
   * - `name`: the name under which the handler was added.
   * - `event`: the handler's argument, any value that JSON can represent. A `Uint8Array`, a `Buffer` or an
   *   `ArrayBuffer` in it arrives as a `Uint8Array`; so it does in the result. Event and result may each have at
   *   most 1 MiB (JSON text in UTF-8 and binary data), unless the builder sets other limits, and 65,536 pieces of
   *   binary data.
   * - `options`: see `CallHandlerOptions`.
   *
   * The sandbox stays usable when it rejects with:
   * - `ERR_INVALID_ARG`: the name is not a string, is empty or is too long, the event cannot be represented in JSON, or the
   *   options are invalid. The handler was not called.
   * - `ERR_HANDLER_NOT_FOUND`: there is no handler of this name.
   * - `ERR_GUEST_ERROR`: the handler threw, or its promise was rejected. The error has the properties `guestName`,
   *   `guestMessage` and `guestStack`; lines and columns in the stack are those of the sources, or of their originals (source maps). Exceeding
   *   the heap or the stack is such an error, too.
   * - `ERR_PAYLOAD_TOO_LARGE`: the event or the result is too large, or the result has too many values. See the
   *   properties `size`, `limit` and `unit` (`'bytes'` or `'values'`).
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
   *
   * The sandbox is poisoned when it rejects with:
   * - `ERR_GUEST_ABORT`: the guest ended the call without finishing it, by a fault or by violating the protocol.
   * - `ERR_CANCELLED`: the call was stopped from outside: by a timeout, its signal, `kill()` or `dispose()`. The
   *   error's `terminatedBy` names the timeout or is `'signal'`; its `cause` is the signal's reason. If the signal is
   *   aborted before the call has begun, the call never begins, and the sandbox is not poisoned.
   * - `ERR_POISONED`: it was already poisoned.
   *
   * The error of a call that has begun has the property `stats`: the cost of the call.
   *
   * `T` is the type that the program expects. It is not checked.
   *
   * @example
   * ```ts
   * const limits = { wallClockTimeoutMs: 1000, cpuTimeoutMs: 500 };
   * const greeting = await sandbox.callHandler<string>('greet', { name: 'World' }, limits);
   * ```
   */
  callHandler<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<T>
  /**
   * Like `callHandler()`, but resolves to the value that the handler returned and the cost of the call.
   *
   * @example
   * ```ts
   * const { value, stats } = await sandbox.callHandlerWithStats('greet', { name: 'World' });
   * console.log(value, stats.cpuTimeMs);
   * ```
   */
  callHandlerWithStats<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<CallResult<T>>
  /**
   * Like `callHandler()`, but resolves to the value that the handler returned and a receipt: the cost of the call, its host
   * calls by function, and its lines of the console, which go to a print function as well, but not to the process's output.
   * The error of a call that has begun has the property `receipt`, too.
   *
   * @example
   * ```ts
   * const { value, receipt } = await sandbox.callHandlerWithReceipt('greet', { name: 'World' });
   * console.log(value, receipt.peakHeapBytes, receipt.console);
   * ```
   */
  callHandlerWithReceipt<T = any>(name: string, event: any, options?: CallHandlerWithReceiptOptions): Promise<RunResult<T>>
  /**
   * Removes the handlers, the modules and all their state. Resolves to a `JSSandbox` to which others can be added.
   * The host functions stay. Consumes this object, even if it fails; earlier operations are completed first.
   *
   * It works for a poisoned sandbox, too.
   *
   * Rejects with:
   * - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for. In that case the
   *   object is not consumed.
   * - `ERR_POISONED`: the sandbox is unrecoverable.
   */
  unload(): Promise<JSSandbox>
  /**
   * Takes a snapshot of the state: handlers, modules and all their variables. Host functions and their state are
   * outside the sandbox and not part of it.
   *
   * Rejects with:
   * - `ERR_POISONED`: the sandbox is poisoned.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` has been called.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   */
  snapshot(): Promise<Snapshot>
  /**
   * Returns the sandbox to the state of a snapshot. A poisoned sandbox is usable again afterwards.
   *
   * The snapshot may come from another sandbox with the same settings and the same host functions. It can be
   * restored any number of times.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: the argument is not a `Snapshot`, or it comes from a sandbox with host functions that this
   *   one lacks.
   * - `ERR_CONSUMED`: `unload()` or `dispose()` has been called, or the snapshot was disposed of.
   * - `ERR_REENTRANT`: it was called during a host function that the sandbox's own call waits for.
   * - `ERR_POISONED`: the sandbox is unrecoverable.
   *
   * @example
   * ```ts
   * const snapshot = await sandbox.snapshot();
   * await sandbox.callHandler('greet', { name: 'World' }).catch(console.error);
   * await sandbox.restore(snapshot); // whatever the call has done is undone
   * ```
   */
  restore(snapshot: Snapshot): Promise<void>
  /** A handle that stops a running call. */
  get interruptHandle(): InterruptHandle
  /** The cost of the most recent call, even if that failed; `null` before the first. */
  get lastCallStats(): CallStats | null
  /**
   * The memory that the guest's JavaScript uses, as the guest said at the end of the most recent call.
   *
   * @example
   * ```ts
   * const { usedBytes, heapSizeBytes } = sandbox.heapStatistics();
   * console.log(usedBytes === null ? 'no call yet' : `${usedBytes} of ${heapSizeBytes} bytes`);
   * ```
   */
  heapStatistics(): HeapStatistics
  /**
   * Whether a call was stopped or failed in the middle, so that the state of the guest cannot be trusted. A poisoned
   * sandbox rejects calls with `ERR_POISONED` until `restore()` or `unload()`.
   */
  get poisoned(): boolean
  /**
   * The state of the sandbox: `'ready'`; `'poisoned'` (see `poisoned`); `'unrecoverable'` if an operation has found
   * that it cannot be used any more, in which case `poisoned` is `true`, too; or `'disposed'` after `dispose()`.
   */
  get status(): SandboxStatus
  /**
   * Frees the sandbox's memory at once instead of when the object is garbage-collected. A running call is stopped
   * and rejects with `ERR_CANCELLED`; waiting and later calls reject with `ERR_CONSUMED`. It does nothing if the
   * object was consumed.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A sandbox that has no runtime yet, in which host functions are registered. `SandboxBuilder.build()` returns it. */
export declare class ProtoJSSandbox {
  private constructor()
  /**
   * Returns a module of host functions, which guest code imports from `host:NAME`. The module exists as soon as a
   * function is registered in it. Several objects with the same name refer to the same module.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the name is not a string or is malformed.
   * - `ERR_CONSUMED`: `loadRuntime()` has been called.
   */
  hostModule(name: string): HostFunctionModule
  /**
   * Registers one host function: `hostModule(moduleName).register(functionName, callback)`.
   *
   * Throws the same errors.
   */
  register(moduleName: string, functionName: string, callback: (...args: any[]) => any): HostFunctionModule
  /**
   * Registers one asynchronous host function: `hostModule(moduleName).registerAsync(functionName, callback)`.
   *
   * Throws the same errors.
   */
  registerAsync(moduleName: string, functionName: string, callback: (...args: any[]) => any): HostFunctionModule
  /**
   * Starts the micro-VM with the JavaScript runtime in it. Consumes this object, even if it fails.
   *
   * The first sandbox of a process boots the guest; the others start from a snapshot of it.
   *
   * Rejects with:
   * - `ERR_CONSUMED`: it has been called before.
   * - `ERR_INVALID_ARG`: a host function is missing that the snapshot needs.
   * - `ERR_GUEST_ABORT`: the guest does not boot.
   * - `ERR_INTERNAL`: there is not enough memory, or there are not enough file descriptors, for the VM.
   */
  loadRuntime(): Promise<JSSandbox>
  /**
   * Frees the sandbox and what it holds at once instead of when the object is garbage-collected. From then on its
   * methods fail with `ERR_CONSUMED`. It does nothing if the object was consumed.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when everything has been freed. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Settings of a sandbox. Every setting has a default.
 *
 * Each sandbox is a separate micro-VM. Sizes are limits: memory is allocated when the guest first writes to it.
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
   * Returns a builder for a sandbox that starts in the state of a snapshot. Its settings are those of the snapshot
   * and cannot be changed.
   *
   * `build()`, `loadRuntime()` and `getLoadedSandbox()` are called as usual. The sandbox needs at least the host
   * functions of the sandbox that the snapshot was taken of, see `Snapshot.requirements`. Its handlers and modules are
   * already there. If they are loaded, others can be added only after `unload()`, which removes those of the snapshot.
   *
   * - `snapshot`: from `LoadedJSSandbox.snapshot()`, `JSSandbox.snapshot()` or `Snapshot.load()`.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not a `Snapshot`.
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
   * Sets the limit of memory for the guest's JavaScript: objects, strings and code. Returns the builder.
   *
   * - `bytes`: a whole number from 1 MiB to 6 GiB. Default: 64 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not such a number.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  setHeapSize(bytes: number): this
  /**
   * Sets the guest's memory in addition to its heap. All but half a MiB of it is the stack. Returns the builder.
   *
   * - `bytes`: a whole number from 1 MiB to 64 MiB. Default: 1.5 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not such a number.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  setScratchSize(bytes: number): this
  /**
   * Sets the limit of an event: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The
   * result of a host function has the same limit. The source of a handler or a module may be as large as that, or as
   * an eighth of the heap if that is more. Returns the builder.
   *
   * - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not such a number.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  setInputBufferSize(bytes: number): this
  /**
   * Sets the limit of a result: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The
   * arguments of a host function have the same limit. Returns the builder.
   *
   * - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not such a number.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  setOutputBufferSize(bytes: number): this
  /**
   * Sets the limit of the number of values in a result: objects, arrays, their members, and the names of members.
   * The arguments of a host function have the same limit; beyond it the call throws a `HostFunctionError`. The
   * setting is not part of a snapshot. Returns the builder.
   *
   * The JavaScript thread parses a result without interruption. That takes up to 0.5 µs for each value, or up to 1
   * µs if there are 100,000 or more.
   *
   * - `count`: a whole number from 1 to 134,217,728. Default: 131,072.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not such a number.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  setMaxOutputValues(count: number): this
  /**
   * Sets the function that receives the lines that guest code writes to its console. Default: `debug` and `info`
   * lines are written to the process's standard output, `warn` and `error` lines to its standard error, by another
   * thread, so they may appear later than output of the program itself. The setting is not part of a snapshot.
   * Returns the builder.
   *
   * - `callback`: is called for each line, in order, on the thread that called `setHostPrintFn()`. The guest does
   *   not wait for it. All lines of a call arrive before the call's promise is settled. The text comes from
   *   untrusted code and may contain line breaks and control characters.
   *
   * If the callback throws or returns a promise that is rejected, the process emits a warning the first time;
   * nothing else happens. Lines waiting for a busy thread, or for standard output to be read, may take 16 MiB for
   * each sandbox. Further lines are dropped, and a line with the level `warn` reports their number.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the callback is not a function.
   * - `ERR_CONSUMED`: `build()` has been called.
   *
   * @example
   * ```ts
   * builder.setHostPrintFn((level, text) => console.log(JSON.stringify({ level, text })));
   * ```
   */
  setHostPrintFn(callback: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void): this
  /**
   * Sets the variables that guest code finds in `process.env`, in place of those that were set before. Default: none.
   * Nothing of the environment of the process reaches a guest unless it is given here. They are part of a snapshot, and
   * a sandbox that starts from one can be given no others. Returns the builder.
   *
   * - `variables`: strings by name. As JSON they must fit the input buffer, or `getLoadedSandbox()` rejects.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the argument is not an object of strings.
   * - `ERR_CONSUMED`: `build()` has been called.
   *
   * @example
   * ```ts
   * builder.setEnvironment({ REGION: 'eu' });
   * ```
   */
  setEnvironment(variables: Record<string, string>): this
  /**
   * Gives the sandbox the host functions of a module as they are now. Functions of the same names are replaced. A module
   * can be given to several builders. Returns the builder.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: it is not a `HostFunctionModule`.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  addHostFunctionModule(module: HostFunctionModule): this
  /**
   * Gives guest code a global `fetch`, which can request what the policy allows; without it there is none. A policy that was
   * given before is replaced, and the option `fetch` of a call comes before it. Its budgets are those of one call, or of
   * `getLoadedSandbox()`. Returns the builder.
   *
   * A snapshot of the sandbox has the global, but not the policy: a builder that starts from it needs one, too.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the policy is none; the message says why.
   * - `ERR_CONSUMED`: `build()` has been called.
   *
   * @example
   * ```ts
   * builder.allowFetch({ allow: [{ origin: 'https://api.example.com', paths: ['/v1'] }] });
   * ```
   */
  allowFetch(policy: FetchPolicy): this
  /**
   * Boots the guest for these settings, unless this process has done so already. Without it, the first sandbox with
   * these settings does that in `loadRuntime()`, which takes some hundredths of a second; other sandboxes wait for
   * it. Does not consume the builder. A builder that starts from a snapshot has nothing to boot.
   *
   * - `options`: `sandboxes`, from 0 to 256, also keeps so many in stock, see `PrewarmOptions`. They have been made when
   *   the promise is fulfilled, unless memory is short. Without it, a stock that there is stays as it is. With 0 nothing is
   *   booted.
   *
   * Rejects with:
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be created here; the message says why and what to do.
   * - `ERR_INVALID_ARG`: the options are none, the message says why; the builder starts from a snapshot, but a setting
   *   differs from the snapshot's; or there would be more than 256 sandboxes in stock.
   * - `ERR_INTERNAL`: there is not enough memory, or there are not enough file descriptors, for the stock.
   * - `ERR_NO_THREAD`: there is no thread for it.
   * - `ERR_GUEST_ABORT`, `ERR_CANCELLED`: the guest of the snapshot ends when it is warmed up, or takes more than 5 s for
   *   that.
   * - `ERR_CONSUMED`: `build()` has been called.
   *
   * @example
   * ```ts
   * await new SandboxBuilder().prewarm({ sandboxes: 4 });
   * ```
   */
  prewarm(options?: PrewarmOptions): Promise<void>
  /**
   * Checks the settings and that there is a hypervisor. Consumes the builder, even if it fails.
   *
   * Rejects with:
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be created here; the message says why and what to do.
   * - `ERR_INVALID_ARG`: the builder starts from a snapshot, but a setting differs from the snapshot's.
   * - `ERR_CONSUMED`: `build()` has been called.
   */
  build(): Promise<ProtoJSSandbox>
}

/**
 * Several equal sandboxes that provide clean state for every request. A request gets a sandbox in the state in which
 * it was prepared. Afterwards the sandbox is returned to that state in the background, even if it is poisoned. So no
 * request sees the state of another.
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
   * Creates a pool, which begins to create its sandboxes at once. Requests can be made immediately; they wait until
   * a sandbox is ready.
   *
   * Throws with:
   * - `ERR_INVALID_ARG`: the options are invalid.
   * - `ERR_CONSUMED`: the snapshot was disposed of.
   */
  constructor(options: PoolOptions)
  /**
   * Calls a handler in a sandbox with clean state, like `LoadedJSSandbox.callHandler()`. If no sandbox is ready, the
   * request waits behind earlier ones; that time does not count towards its timeouts.
   *
   * Rejects with the same errors as `LoadedJSSandbox.callHandler()`, which affect neither the pool nor other
   * requests, and with:
   * - `ERR_POOL_FULL`: no sandbox is ready, and the limit of waiting requests is reached.
   * - `ERR_POOL_PREPARE`: the pool has no sandbox and could not create one; the message says why. The next request
   *   tries again.
   * - `ERR_CONSUMED`: `close()` has been called.
   * - `ERR_REENTRANT`: it was called during a host function that a call of this pool waits for.
   *
   * The option `signal` stops this request and no other. A waiting request leaves the queue at once.
   */
  callHandler<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<T>
  /** Like `callHandler()`, but resolves to the value that the handler returned and the cost of the call. */
  callHandlerWithStats<T = any>(name: string, event: any, options?: CallHandlerOptions): Promise<CallResult<T>>
  /**
   * Like `callHandler()`, but resolves to the value that the handler returned and a receipt: the cost of the call, its host
   * calls by function, and its lines of the console, which go to a print function as well, but not to the process's output.
   * The error of a call that has begun has the property `receipt`, too.
   *
   * @example
   * ```ts
   * const { value, receipt } = await sandbox.callHandlerWithReceipt('greet', { name: 'World' });
   * console.log(value, receipt.peakHeapBytes, receipt.console);
   * ```
   */
  callHandlerWithReceipt<T = any>(name: string, event: any, options?: CallHandlerWithReceiptOptions): Promise<RunResult<T>>
  /** Number of sandboxes that the pool maintains. */
  get size(): number
  /** Number of sandboxes that are ready for a request. */
  get ready(): number
  /** Number of requests that are waiting for a sandbox. */
  get waiting(): number
  /**
   * The cost of the call that ended last, even if it failed; `null` before the first. If several calls are made at
   * the same time, use `callHandlerWithStats()` for the cost of a particular one, or the `stats` of its error.
   */
  get lastCallStats(): CallStats | null
  /**
   * A handle that stops the oldest request that has not ended, even if that is waiting: it rejects when its turn
   * comes. To stop a particular request, pass it the option `signal`.
   */
  get interruptHandle(): InterruptHandle
  /**
   * Closes the pool. Waiting and later requests reject with `ERR_CONSUMED`. Running calls continue to their end. The
   * promise is fulfilled when they have ended and the memory has been freed.
   */
  close(): Promise<void>
  /** `close()`, for `using`. It does not wait until the pool is closed. */
  [Symbol.dispose](): void
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
  /** How full the pool is. All figures are of the same moment. */
  stats(): PoolStats
  /**
   * Imports modules into the state in which requests get their sandboxes, so that programs find them compiled and
   * evaluated: `modules` are their sources by the specifiers under which they are imported. Requests that are made after
   * the promise is fulfilled have them; so have later preparations, which add to earlier ones. Requests are served
   * meanwhile.
   *
   * Each request gets its own copy of what the modules keep in variables.
   *
   * If it rejects, the pool stays as it was:
   * - `ERR_COMPILE`: a module has a syntax error or imports what does not exist. The error's `file` is its specifier.
   * - `ERR_GUEST_ERROR`: the evaluation of a module threw.
   * - `ERR_CANCELLED`: a timeout, or the signal, stopped it.
   * - `ERR_INVALID_ARG`: an argument is invalid, a specifier means something else in the guest, or the pool has the option
   *   `prepare`, whose function can add modules itself.
   * - `ERR_PAYLOAD_TOO_LARGE`: the modules together are too large; prepare some of them first.
   * - Others as with `run()`.
   *
   * @example
   * ```ts
   * const pool = new SandboxPool({ size: 2 });
   * await pool.prepare({ tools: 'export const twice = (n) => 2 * n' });
   * const { value } = await pool.run("import { twice } from 'tools'; export default twice(21)"); // 42
   * ```
   */
  prepare(modules: Record<string, string>, options?: LoadOptions): Promise<void>
  /**
   * Runs a program in a sandbox with clean state and resolves to its value and a receipt. If no sandbox is ready, the
   * request waits behind earlier ones; that time does not count towards its timeouts.
   *
   * The source is, in this order:
   * 1. CommonJS, if it uses `module.exports` or `exports`: the value is a handler that it exports, or else all of that;
   * 2. an expression, with or without semicolons after it: its value is the program's;
   * 3. the body of an async function, in strict mode: the value is what it returns, or else its function `handler`;
   * 4. an ES module: the value is its default export, or else its function `handler`, or what it exports by that name.
   *
   * If the value is a function, it is called with the option `input`, unless a `return` statement has returned it. A
   * promise is awaited. The input is also the global `input`.
   *
   * Rejects with the same errors as `callHandler()` and with:
   * - `ERR_COMPILE`: the source has a syntax error or imports what does not exist. The error's `file` is `'run'`, or the
   *   name of a module; its `line` and `column` are those of the source.
   * - `ERR_INVALID_ARG`: an option is invalid, or a name of a module means something else in the guest; nothing was run.
   * - `ERR_PAYLOAD_TOO_LARGE`: the source, the input and the modules together are larger than an eighth of the heap, 8 MiB,
   *   and than the input buffer; or the names of the functions are larger than that.
   *
   * The error of a run that has begun has a `receipt`.
   *
   * @example
   * ```ts
   * const pool = new SandboxPool({ size: 2 });
   * const { value } = await pool.run('(await db.find(input)).name', {
   *   input: 7,
   *   functions: { db: { find: async (id) => ({ id, name: `row ${id}` }) } },
   *   wallClockTimeoutMs: 1000,
   * });
   * console.log(value); // row 7
   * ```
   */
  run<T = any>(source: string, options?: RunOptions): Promise<RunResult<T>>
}

/**
 * The state of a sandbox at a point in time: handlers, modules and all their variables. `LoadedJSSandbox.snapshot()`,
 * `JSSandbox.snapshot()` and `Snapshot.load()` return it.
 */
export declare class Snapshot {
  private constructor()
  /**
   * What a sandbox must have to start from the snapshot or to restore it. A sandbox that lacks any of it is refused with
   * `ERR_INVALID_ARG`, and the message names what is missing.
   *
   * Throws with `ERR_CONSUMED`: the snapshot has been disposed.
   */
  get requirements(): SnapshotRequirements
  /**
   * Whether the snapshot's handlers are loaded. It is `false` for a snapshot that `JSSandbox.snapshot()` took: handlers can
   * be added to a sandbox that starts from it, but it cannot be restored.
   *
   * Throws with `ERR_CONSUMED`: the snapshot has been disposed.
   */
  get isLoaded(): boolean
  /**
   * Writes the snapshot to a folder, an OCI image layout, from which `Snapshot.load()` reads it. Resolves to its
   * digest.
   *
   * It contains all of the guest's memory, including secrets. Handlers and modules that are not loaded yet
   * must take less than 2 MiB together, as JSON.
   *
   * - `path`: the folder. It is created if it does not exist; its parent must. It can hold any number of snapshots.
   *   Two processes must not save to it at the same time: the tag of one of them may be lost.
   * - `tag`: the snapshot's name in the folder, 1 to 128 ASCII letters, digits, `_`, `.` and `-`, and not beginning
   *   with `.` or `-`. Default: `latest`. If another snapshot in the folder has the tag, the tag moves to this one;
   *   the other can still be loaded by its digest, and its files stay.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: the path is not a string or is empty, or the tag is malformed.
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
   * Reads a snapshot from a folder that `save()` wrote.
   *
   * Before it is used, the following is checked: the files are complete and match the hashes in the folder; the
   * snapshot was taken by this version of this package, on the same hypervisor and kind of processor; its settings
   * are within their ranges; a VM can start from it. This does not show who made the snapshot: whoever can write to
   * the folder can replace it. To be sure, keep the digest in another place and load by it.
   *
   * The files are copied to a private, unnamed file in the folder for temporary files (`TMPDIR`), and the copy is
   * checked and used. Later changes to the folder have no effect. The disk space is freed with the snapshot and the
   * last sandbox that was made from it.
   *
   * - `path`: the folder.
   * - `tagOrDigest`: the snapshot's tag, or the digest that `save()` returned. Default: the tag `latest`.
   * - `options.signal`: stops loading when it is aborted. A large snapshot takes seconds to copy and to check.
   *
   * Rejects with:
   * - `ERR_INVALID_ARG`: an argument is of a wrong type, or the path is empty.
   * - `ERR_CANCELLED`: the signal was aborted.
   * - `ERR_NO_HYPERVISOR`: no virtual machine can be created here.
   * - `ERR_SNAPSHOT`: the snapshot cannot be read or copied, or a check failed; the message says why.
   */
  static load(path: string, tagOrDigest?: string, options?: LoadSnapshotOptions): Promise<Snapshot>
  /**
   * Frees the memory at once instead of when the object is garbage-collected. From then on, `restore()` with this
   * snapshot rejects with `ERR_CONSUMED`. Sandboxes in this state are not affected.
   */
  dispose(): void
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void
  /** `dispose()`, for `await using`. The promise is fulfilled when the memory has been freed. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The cost of a call of a handler. */
export interface CallStats {
  /** Duration of the call in milliseconds. */
  wallClockMs: number
  /** Processor time of the call in milliseconds; `null` where it cannot be measured. */
  cpuTimeMs: number | null
  /** The timeout that stopped the call, `'wall-clock'` or `'cpu-time'`; `null` if no timeout did. */
  terminatedBy: 'wall-clock' | 'cpu-time' | null
  /** Number of calls of host functions, synchronous and asynchronous, including refused ones. */
  hostCalls: number
  /**
   * Milliseconds during which the call was suspended: it waited for asynchronous host functions or timers and used no
   * thread. The time of synchronous host functions is not part of it.
   */
  suspendedMs: number
  /**
   * Number of entries into the guest: one at the beginning of the call, and one each time that it continued after a
   * suspension, a synchronous host function or a line of the console.
   */
  entries: number
  /**
   * Most bytes that the guest's JavaScript had in use at one time during the call, with all that the sandbox keeps. This is
   * the guest's word, at most the size of its heap. `null` if the guest was stopped before it said anything.
   */
  peakHeapBytes: number | null
  /**
   * Bytes in use after the call or, if that was stopped, when the guest last asked its host for something; as
   * `peakHeapBytes`.
   */
  heapBytes: number | null
}

/** The memory of a guest's JavaScript. */
export interface HeapStatistics {
  /** Most bytes that it may have in use: `SandboxBuilder.setHeapSize()`. */
  heapSizeBytes: number
  /**
   * Bytes in use when the most recent call ended. This is the guest's word, at most the size of the heap. `null` before the
   * first call, and between `restore()` and the call that follows.
   */
  usedBytes: number | null
  /** Most bytes in use at one time during that call; as `usedBytes`. */
  peakBytes: number | null
}

/**
 * What is known of the host call that the running code serves. It is called in the callback of a host function, or in
 * anything that follows from it, such as behind its `await`. Elsewhere it returns `undefined`.
 *
 * @example
 * ```ts
 * protoSandbox.hostModule('web').registerAsync('get', async (path) => {
 *   const { context, signal } = hostCall()!;
 *   const headers = { authorization: context.token };
 *   const response = await fetch(new URL(String(path), 'https://example.com'), { headers, signal });
 *   return response.text();
 * });
 * ```
 * ```ts
 * const page = await sandbox.callHandler('page', '/', { context: { token: 'abc' } });
 * ```
 */
export declare function hostCall(): HostCall | undefined

/** How full a pool is at one moment. */
export interface PoolStats {
  /** Number of sandboxes that the pool maintains. */
  size: number
  /** Sandboxes that are ready for a request. */
  ready: number
  /** Sandboxes in use, being created, or being returned to clean state. */
  busy: number
  /** Sandboxes that could not be created, or were lost; the next request has them created. */
  missing: number
  /** Requests that are waiting for a sandbox. */
  waiting: number
  /** Number of requests that may wait. */
  maxQueue: number
}

/** Host functions of one module that a snapshot needs. */
export interface RequiredHostModule {
  /** The module's name, as `hostModule()` takes it. */
  module: string
  /** Names of the functions that `register()` registered. */
  functions: Array<string>
  /** Names of the functions that `registerAsync()` registered. */
  asyncFunctions: Array<string>
}

/** What a snapshot needs. */
export interface SnapshotRequirements {
  /** Host functions that the snapshot's sandbox had, whether or not its code imports them, by module. */
  hostFunctions: Array<RequiredHostModule>
}
