import type { CallHandlerOptions, Receipt } from '@hyperlight/js-host-api';
import type { RegistryOptions as Registry } from '@hyperlight/oci';
import type { ConnectionOptions, JobsOptions } from 'bullmq';

/** What both sides of a queue have in common. */
export interface QueueOptions {
  /** Name of the queue. */
  queue: string;
  /** Options of ioredis, or a client of it. */
  connection: ConnectionOptions;
  /** Prefix of BullMQ's keys. Default: `'bull'`. */
  prefix?: string;
  /** Receives what may be worth a line of a log. */
  log?: (level: 'info' | 'warn' | 'error', text: string) => void;
}

/** Where functions come from that are artifacts. */
export interface RegistryOptions extends Pick<Registry, 'plainHttp' | 'credentials'> {
  /** A registry, and what the names of its functions begin with: `registry.example/functions`. */
  registry?: string;
}

/** A function: a snapshot, a source, or both. */
export interface FunctionDefinition {
  /** A folder that `Snapshot.save()` has written. */
  snapshot?: string;
  /** Tag or digest of the snapshot. Default: `'latest'`. */
  tag?: string;
  /** Source of a handler. A worker that cannot use the snapshot makes its own of it. */
  source?: string;
  language?: 'javascript' | 'typescript';
  /** Name of the handler in the snapshot. Default: `'handler'`. */
  handler?: string;
  /** Bytes that a sandbox may take. Default: 72 MiB. */
  sandboxBytes?: number;
}

export interface WorkerOptions extends QueueOptions, RegistryOptions {
  /** Functions by `name@version`, beside those of the registry. */
  functions?: Record<string, FunctionDefinition>;
  /** Bytes of files that are kept of functions of the registry. Default: 4 GiB. */
  cacheBytes?: number;
  /** Jobs at the same time, and sandboxes of each function. Default: the number of processors. */
  concurrency?: number;
  /** Jobs of one tenant at the same time. Default: `concurrency`. */
  perTenantConcurrency?: number;
  /** Bytes that all sandboxes together may take. Default: 4 GiB. */
  memoryBudgetBytes?: number;
  /** Limits of each job. Default: 30 seconds, 10 seconds of processor time. */
  limits?: Pick<
    CallHandlerOptions,
    'wallClockTimeoutMs' | 'cpuTimeoutMs' | 'memoryLimitBytes' | 'maxHostCalls' | 'maxHostCallsInFlight'
  >;
  /** Functions for guests, by module and name. */
  hostFunctions?: CallHandlerOptions['functions'];
  /** How often a job may lose its worker. Default: 3. */
  maxLosses?: number;
  /** Milliseconds after which a worker counts as lost. Default: 30,000. */
  lockDurationMs?: number;
}

/** What `hostCall().context` is in host functions of a worker. */
export interface JobContext {
  jobId: string;
  /** The same for each attempt of the job. */
  idempotencyKey: string;
  /** How often the job has begun, from 1. */
  attempt: number;
  tenant: string;
}

export interface FunctionWorker {
  /** Is fulfilled when jobs are taken. */
  ready(): Promise<void>;
  readonly isRunning: boolean;
  /** Whether jobs are taken at present: `ready()` is fulfilled, it is not drained, and Redis answers. */
  readonly isReady: boolean;
  /** The functions that have sandboxes, the bytes that these may take, and jobs: those that run, and how others have ended. */
  stats(): {
    warm: string[];
    bytes: number;
    running: number;
    completed: number;
    failed: number;
    handedBack: number;
  };
  /** Takes no more jobs, waits for those that run, and gives those back that have not ended after `timeoutMs`: 30,000. */
  drain(options?: { timeoutMs?: number }): Promise<void>;
}

export interface CallOptions extends Omit<JobsOptions, 'priority' | 'attempts'> {
  tenant?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface FunctionClient {
  /** Calls a function and resolves to its value: `name@version`, with a registry also `name:tag` or `name@sha256:…`. */
  call<T = any>(name: string, event: unknown, options?: CallOptions): Promise<T>;
  /** The same with a receipt. */
  callWithReceipt<T = any>(
    name: string,
    event: unknown,
    options?: CallOptions,
  ): Promise<{ value: T; receipt: Omit<Receipt, 'console'> }>;
  close(): Promise<void>;
}

/** Runs functions for those who put calls into a queue. */
export declare function createWorker(options: WorkerOptions): FunctionWorker;

export interface ClientOptions extends QueueOptions, RegistryOptions {
  /** How often a job is tried. Default: 3. */
  attempts?: number;
  /** Bytes of the largest event, as JSON. Default: 1 MiB. */
  maxEventBytes?: number;
  /** Milliseconds for which it is remembered what a tag means. Default: 1,000. */
  tagMaxAgeMs?: number;
}

/** Calls functions by way of a queue. */
export declare function createClient(options: ClientOptions): FunctionClient;
