// Holds index.d.ts to what is promised. Most of it is checked when this file is compiled: every member has exactly the type
// that is written here, and each line after `@ts-expect-error` must not compile.
// biome-ignore-all lint/suspicious/noExplicitAny: the types are those that are declared
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import * as api from '@hyperlight/js-host-api';
import {
  type AbortSignalLike,
  type CallHandlerOptions,
  type CallHandlerWithReceiptOptions,
  type CallResult,
  type CallStats,
  type GuestImage,
  type HostCall,
  HostFunctionModule,
  HostModule,
  type hostCall,
  InterruptHandle,
  isSandboxError,
  JSSandbox,
  LoadedJSSandbox,
  type LoadOptions,
  type LoadSnapshotOptions,
  type PoolOptions,
  type PrewarmOptions,
  ProtoJSSandbox,
  type Receipt,
  type RunOptions,
  type run,
  SandboxBuilder,
  type SandboxError,
  SandboxPool,
  type SandboxStatus,
  Snapshot,
  type SourceOptions,
} from '@hyperlight/js-host-api';

const ROOT = join(__dirname, '..', '..');

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the two types are the same. */
function same<A, B>(..._equal: Equal<A, B> extends true ? [] : [never]): void {}

type Status = 'ready' | 'poisoned' | 'unrecoverable' | 'disposed';
type Level = 'debug' | 'info' | 'warn' | 'error';
type Disposal = 'dispose' | typeof Symbol.dispose | typeof Symbol.asyncDispose;

/** The names of the members of each class; what is not here is no part of the API. */
const members = {
  SandboxBuilder: [
    'setHeapSize',
    'setScratchSize',
    'setInputBufferSize',
    'setOutputBufferSize',
    'setMaxOutputValues',
    'setHostPrintFn',
    'setEnvironment',
    'addHostFunctionModule',
    'allowFetch',
    'prewarm',
    'build',
  ],
  ProtoJSSandbox: ['hostModule', 'register', 'registerAsync', 'loadRuntime', 'dispose'],
  HostFunctionModule: ['name', 'register', 'registerAsync'],
  HostModule: ['name', 'register', 'registerAsync'],
  JSSandbox: [
    'addHandler',
    'removeHandler',
    'clearHandlers',
    'addModule',
    'removeModule',
    'clearModules',
    'getLoadedSandbox',
    'snapshot',
    'interruptHandle',
    'poisoned',
    'status',
    'dispose',
  ],
  LoadedJSSandbox: [
    'callHandler',
    'callHandlerWithStats',
    'callHandlerWithReceipt',
    'unload',
    'snapshot',
    'restore',
    'interruptHandle',
    'lastCallStats',
    'heapStatistics',
    'poisoned',
    'status',
    'dispose',
  ],
  InterruptHandle: ['kill'],
  Snapshot: ['requirements', 'isLoaded', 'save', 'dispose'],
  SandboxPool: [
    'run',
    'prepare',
    'callHandler',
    'callHandlerWithStats',
    'callHandlerWithReceipt',
    'size',
    'ready',
    'waiting',
    'stats',
    'lastCallStats',
    'interruptHandle',
    'close',
  ],
} as const;

type Named<Class extends keyof typeof members> = (typeof members)[Class][number];
same<
  keyof typeof api,
  keyof typeof members | 'SandboxStatus' | 'hostCall' | 'isSandboxError' | 'metrics' | 'run' | 'sync'
>();
same<keyof SandboxBuilder, Named<'SandboxBuilder'>>();
same<keyof ProtoJSSandbox, Named<'ProtoJSSandbox'> | Disposal>();
same<keyof HostModule, Named<'HostModule'>>();
same<keyof JSSandbox, Named<'JSSandbox'> | Disposal>();
same<keyof LoadedJSSandbox, Named<'LoadedJSSandbox'> | Disposal>();
same<keyof InterruptHandle, Named<'InterruptHandle'>>();
same<keyof Snapshot, Named<'Snapshot'> | Disposal>();
same<SandboxStatus, Status>();
same<(typeof SandboxStatus)['Disposed'], 'disposed'>();
same<keyof SandboxPool, Named<'SandboxPool'> | Exclude<Disposal, 'dispose'>>();
same<ConstructorParameters<typeof SandboxPool>, [options: PoolOptions]>();
same<SandboxPool['callHandler'], LoadedJSSandbox['callHandler']>();
same<SandboxPool['callHandlerWithStats'], LoadedJSSandbox['callHandlerWithStats']>();
same<SandboxPool['callHandlerWithReceipt'], LoadedJSSandbox['callHandlerWithReceipt']>();
same<SandboxPool['run'], typeof run>();
same<SandboxPool['prepare'], (modules: Record<string, string>, options?: LoadOptions) => Promise<void>>();
same<keyof RunOptions, keyof CallHandlerWithReceiptOptions | 'language' | 'input' | 'modules'>();
same<Awaited<ReturnType<typeof run<string>>>, { value: string; receipt: Receipt }>();
same<SandboxPool['close'], () => Promise<void>>();
same<keyof ReturnType<SandboxPool['stats']>, 'size' | 'ready' | 'busy' | 'missing' | 'waiting' | 'maxQueue'>();
same<
  ReturnType<LoadedJSSandbox['heapStatistics']>,
  { heapSizeBytes: number; usedBytes: number | null; peakBytes: number | null }
>();
same<ReturnType<typeof api.metrics>, Record<string, api.Metric>>();
same<ReturnType<typeof api.metrics.prometheus>, string>();
same<
  keyof LoadOptions,
  | 'wallClockTimeoutMs'
  | 'cpuTimeoutMs'
  | 'signal'
  | 'unhandledRejections'
  | 'context'
  | 'maxHostCalls'
  | 'maxHostCallsInFlight'
>();
same<typeof hostCall, () => HostCall | undefined>();
same<
  HostCall,
  { readonly context: any; readonly signal: AbortSignal; readonly module: string; readonly name: string }
>();
same<LoadOptions['signal'], AbortSignalLike | undefined>();
same<LoadOptions['unhandledRejections'], 'warn' | 'error' | undefined>();
same<keyof CallHandlerOptions, keyof LoadOptions | 'gc' | 'functions' | 'fetch' | 'memoryLimitBytes'>();
same<keyof CallHandlerWithReceiptOptions, keyof CallHandlerOptions | 'maxConsoleBytes'>();
same<Extract<SandboxError, { terminatedBy: unknown }>['code'], 'ERR_CANCELLED'>();
same<Extract<SandboxError, { guestName: string }>['code'], 'ERR_GUEST_ERROR'>();
same<Extract<SandboxError, { file: string }>['code'], 'ERR_COMPILE'>();
same<Extract<SandboxError, { limit: number }>['code'], 'ERR_PAYLOAD_TOO_LARGE'>();
same<
  CallStats,
  {
    wallClockMs: number;
    cpuTimeMs: number | null;
    terminatedBy: 'wall-clock' | 'cpu-time' | null;
    hostCalls: number;
    suspendedMs: number;
    peakHeapBytes: number | null;
    heapBytes: number | null;
    entries: number;
  }
>();

same<ConstructorParameters<typeof SandboxBuilder>, []>();
same<Parameters<SandboxBuilder['setHostPrintFn']>, [callback: (level: Level, text: string) => void]>();
same<Parameters<SandboxBuilder['setEnvironment']>, [variables: Record<string, string>]>();
same<Parameters<SandboxBuilder['allowFetch']>, [policy: api.FetchPolicy]>();
same<CallHandlerOptions['fetch'], api.FetchPolicy | undefined>();
same<Parameters<HostModule['register']>, [name: string, callback: (...args: any[]) => any]>();
same<
  Parameters<ProtoJSSandbox['register']>,
  [moduleName: string, functionName: string, callback: (...args: any[]) => any]
>();
same<SandboxBuilder['prewarm'], (options?: PrewarmOptions) => Promise<void>>();
same<PrewarmOptions, { sandboxes?: number }>();
same<SandboxBuilder['build'], () => Promise<ProtoJSSandbox>>();
same<ProtoJSSandbox['hostModule'], (name: string) => HostModule>();
same<ReturnType<ProtoJSSandbox['register']>, HostModule>();
same<HostModule['registerAsync'], HostModule['register']>();
same<ProtoJSSandbox['registerAsync'], ProtoJSSandbox['register']>();
same<ProtoJSSandbox['loadRuntime'], () => Promise<JSSandbox>>();
same<JSSandbox['addHandler'], (name: string, code: string, options?: SourceOptions) => void>();
same<JSSandbox['removeHandler'], (name: string) => void>();
same<JSSandbox['clearHandlers'], () => void>();
same<JSSandbox['addModule'], (name: string, source: string, namespace?: string, options?: SourceOptions) => void>();
same<JSSandbox['removeModule'], (name: string, namespace?: string) => void>();
same<JSSandbox['clearModules'], () => void>();
same<JSSandbox['getLoadedSandbox'], (options?: LoadOptions) => Promise<LoadedJSSandbox>>();
same<JSSandbox['interruptHandle'], InterruptHandle>();
same<JSSandbox['poisoned'], boolean>();
same<JSSandbox['status'], Status>();
same<LoadedJSSandbox['callHandler'], <T = any>(name: string, event: any, options?: CallHandlerOptions) => Promise<T>>();
same<
  LoadedJSSandbox['callHandlerWithStats'],
  <T = any>(name: string, event: any, options?: CallHandlerOptions) => Promise<CallResult<T>>
>();
same<CallResult<number>, { value: number; stats: CallStats }>();
same<CallResult, CallResult<any>>();
same<typeof isSandboxError, (value: unknown) => value is SandboxError>();
same<LoadedJSSandbox['unload'], () => Promise<JSSandbox>>();
same<LoadedJSSandbox['snapshot'], () => Promise<Snapshot>>();
same<LoadSnapshotOptions, { signal?: AbortSignalLike }>();
same<ConstructorParameters<typeof HostFunctionModule>, [name: string]>();
same<HostModule, HostFunctionModule>();
same<HostFunctionModule['name'], string>();
same<Parameters<HostFunctionModule['register']>, Parameters<HostModule['register']>>();
same<JSSandbox['snapshot'], () => Promise<Snapshot>>();
same<Snapshot['isLoaded'], boolean>();
same<
  Snapshot['requirements'],
  { hostFunctions: { module: string; functions: string[]; asyncFunctions: string[] }[] }
>();
same<LoadedJSSandbox['restore'], (snapshot: Snapshot) => Promise<void>>();
same<LoadedJSSandbox[typeof Symbol.asyncDispose], () => Promise<void>>();
same<LoadedJSSandbox[typeof Symbol.dispose], () => void>();
same<LoadedJSSandbox['interruptHandle'], InterruptHandle>();
same<LoadedJSSandbox['lastCallStats'], CallStats | null>();
same<LoadedJSSandbox['poisoned'], boolean>();
same<LoadedJSSandbox['status'], Status>();
same<InterruptHandle['kill'], () => void>();
same<Snapshot['save'], (path: string, tag?: string) => Promise<string>>();
same<
  (typeof Snapshot)['load'],
  (path: string, tagOrDigest?: string, options?: LoadSnapshotOptions) => Promise<Snapshot>
>();
same<(typeof SandboxBuilder)['fromSnapshot'], (snapshot: Snapshot) => SandboxBuilder>();
same<keyof typeof SandboxBuilder, 'prototype' | 'fromSnapshot' | 'guestImage'>();
same<(typeof SandboxBuilder)['guestImage'], GuestImage>();
same<GuestImage, { readonly version: string; readonly hash: string }>();

/** Every member in use, as a program would use it. It is compiled but never called. */
export async function use(): Promise<void> {
  const builder: SandboxBuilder = new SandboxBuilder()
    .setHeapSize(1)
    .setScratchSize(1)
    .setInputBufferSize(1)
    .setOutputBufferSize(1)
    .setHostPrintFn((level: Level, text: string) => console.log(level.toUpperCase(), text.length));
  const proto: ProtoJSSandbox = await builder.build();
  const module: HostModule = proto
    .hostModule('m')
    .register('add', (a: number, b: number) => a + b)
    .register('later', async () => ({ rows: [] }))
    .register('nothing', () => {});
  const same: HostModule = proto.register('m', 'f', (text: string) => text);
  const sandbox: JSSandbox = await proto.loadRuntime();
  sandbox.addHandler('h', 'code');
  sandbox.addModule('m', 'source');
  sandbox.addModule('m', 'source', 'namespace');
  sandbox.removeModule('m', 'namespace');
  const loaded: LoadedJSSandbox = await sandbox.getLoadedSandbox();
  const { signal } = new AbortController();
  const options: CallHandlerOptions = { gc: false, wallClockTimeoutMs: 1, cpuTimeoutMs: undefined, signal };
  const result: string = await loaded.callHandler('h', { any: ['event'] }, options);
  const stats: CallStats | null = loaded.lastCallStats;
  const snapshot: Snapshot = await loaded.snapshot();
  await loaded.restore(snapshot);
  const handle: InterruptHandle = loaded.interruptHandle;
  handle.kill();
  for (const disposable of [proto, sandbox, loaded, snapshot]) {
    disposable.dispose();
    disposable[Symbol.dispose]();
    await disposable[Symbol.asyncDispose]();
  }
  void [module, same, result, stats];

  const { version, hash }: { version: string; hash: string } = SandboxBuilder.guestImage;
  void [version, hash];

  const numbers: number[] = await loaded.callHandler<number[]>('h', {});
  const { value }: { value: boolean } = await loaded.callHandlerWithStats<boolean>('h', {});
  // @ts-expect-error: it is a number
  const text: string = await loaded.callHandler<number>('h', {});
  void [numbers, value, text];

  // @ts-expect-error: interruptHandle makes it
  new InterruptHandle();
  // @ts-expect-error: loadRuntime() makes it
  new JSSandbox();
  // @ts-expect-error: getLoadedSandbox() makes it
  new LoadedJSSandbox();
  // @ts-expect-error: build() makes it
  new ProtoJSSandbox();
  // @ts-expect-error: snapshot() and Snapshot.load() make it
  new Snapshot();

  // @ts-expect-error: it is read-only
  SandboxBuilder.guestImage = { version, hash };
  // @ts-expect-error: there are no arguments
  new SandboxBuilder({ heapSize: 1 });
  // @ts-expect-error: a size is a number
  builder.setHeapSize('8 MiB');
  // @ts-expect-error: a size is needed
  builder.setScratchSize();
  // @ts-expect-error: a size is a number
  builder.setInputBufferSize(1n);
  // @ts-expect-error: a size is a number
  builder.setOutputBufferSize(null);
  // @ts-expect-error: the level is a string
  builder.setHostPrintFn((level: number) => level);
  // @ts-expect-error: a promise comes first
  builder.build().loadRuntime();
  // @ts-expect-error: a name is needed
  proto.hostModule();
  // @ts-expect-error: a callback is a function
  module.register('f', 'callback');
  // @ts-expect-error: handlers come later
  proto.addHandler('h', 'code');
  // @ts-expect-error: code is text
  sandbox.addHandler('h', () => {});
  // @ts-expect-error: nothing can be called yet
  sandbox.callHandler('h', {});
  // @ts-expect-error: there is no such option
  loaded.callHandler('h', {}, { timeout: 1 });
  // @ts-expect-error: a timeout is a number
  loaded.callHandler('h', {}, { cpuTimeoutMs: '1' });
  // @ts-expect-error: an event is needed
  loaded.callHandler('h');
  // @ts-expect-error: a snapshot is needed
  loaded.restore({});
  // @ts-expect-error: it is read-only
  loaded.poisoned = false;
  // @ts-expect-error: there is no such status
  loaded.status === 'broken';
  // @ts-expect-error: there need not be any
  loaded.lastCallStats.wallClockMs;
}

/** An error narrows by its code, and all codes are covered. It is compiled but never called. */
export function narrow(error: unknown): unknown {
  // @ts-expect-error: anything may be thrown
  void error.code;
  if (!isSandboxError(error)) return undefined;
  same<typeof error, SandboxError>();
  // @ts-expect-error: only some have it
  void error.guestStack;
  switch (error.code) {
    case 'ERR_COMPILE':
      return [error.file, error.line, error.column, error.guestStack, error.stats.wallClockMs];
    case 'ERR_GUEST_ERROR':
      return [error.guestName, error.guestMessage, error.cause?.guestMessage, error.stats.wallClockMs];
    case 'ERR_PAYLOAD_TOO_LARGE':
      return [error.size, error.limit, error.unit];
    case 'ERR_CANCELLED':
      return [error.terminatedBy, error.cause];
    case 'ERR_CONSUMED':
    case 'ERR_GUEST_ABORT':
    case 'ERR_HANDLER_NOT_FOUND':
    case 'ERR_INTERNAL':
    case 'ERR_INVALID_ARG':
    case 'ERR_NO_HYPERVISOR':
    case 'ERR_NO_THREAD':
    case 'ERR_POISONED':
    case 'ERR_POOL_FULL':
    case 'ERR_POOL_PREPARE':
    case 'ERR_REENTRANT':
    case 'ERR_SNAPSHOT':
      return [error.message, error.stats?.wallClockMs];
    default:
      same<typeof error, never>();
      return undefined;
  }
}

test('the classes have the members that are declared, and no others', () => {
  const classes = {
    SandboxBuilder,
    ProtoJSSandbox,
    HostFunctionModule,
    HostModule,
    JSSandbox,
    LoadedJSSandbox,
    InterruptHandle,
    Snapshot,
    SandboxPool,
  };
  for (const [name, declared] of Object.entries(members)) {
    const { prototype } = classes[name as keyof typeof members];
    const actual = Object.getOwnPropertyNames(prototype).filter((member) => member !== 'constructor');
    assert.deepEqual(actual.sort(), [...declared].sort(), name);
  }
  assert.equal(HostModule, HostFunctionModule);
  const exported = Object.keys(api).filter((name) => !['default', 'module.exports'].includes(name));
  assert.deepEqual(
    exported.sort(),
    [...Object.keys(members), 'SandboxStatus', 'hostCall', 'isSandboxError', 'metrics', 'run', 'sync'].sort(),
  );
});

test('new is refused for the classes whose constructors are private', () => {
  const declared = readFileSync(join(ROOT, 'index.d.ts'), 'utf8');
  const refused = [...declared.matchAll(/^export declare class (\w+) \{\n {2}private constructor\(\)$/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(refused.sort(), ['InterruptHandle', 'JSSandbox', 'LoadedJSSandbox', 'ProtoJSSandbox', 'Snapshot']);
  const exported: Record<string, any> = api;
  for (const name of refused) assert.throws(() => new exported[name ?? ''](), Error, name);
});

test('isSandboxError() tells the errors of the package from all others', async () => {
  const caught = (action: () => unknown) => {
    try {
      return action();
    } catch (error) {
      return error;
    }
  };
  using proto = await new SandboxBuilder().build();
  for (const error of [caught(() => new SandboxBuilder().setHeapSize(0)), caught(() => proto.hostModule(''))]) {
    assert.ok(error instanceof Error);
    assert.ok(isSandboxError(error));
    assert.equal(error.code, 'ERR_INVALID_ARG');
  }
  const elsewhere = runInNewContext("Object.assign(new RangeError('x'), { code: 'ERR_POISONED' })");
  assert.ok(!(elsewhere instanceof Error) && isSandboxError(elsewhere));

  const others = [
    undefined,
    null,
    'ERR_POISONED',
    { code: 'ERR_POISONED' },
    new Error('ERR_POISONED'),
    Object.assign(new Error(), { code: 'ERR_INVALID_ARG_TYPE' }),
    Object.assign(new Error(), { code: ['ERR_POISONED'] }),
    Object.create(Object.assign(new Error(), { code: 'ERR_POISONED' })),
    Object.defineProperty(new Error(), 'code', { get: () => assert.fail('a getter was called') }),
    () => {},
  ];
  for (const [i, other] of others.entries()) assert.equal(isSandboxError(other), false, `${i}`);
});

test('the codes of errors are those that their page explains, each in one row', () => {
  const declared: Record<SandboxError['code'], true> = {
    ERR_CANCELLED: true,
    ERR_COMPILE: true,
    ERR_CONSUMED: true,
    ERR_GUEST_ABORT: true,
    ERR_GUEST_ERROR: true,
    ERR_HANDLER_NOT_FOUND: true,
    ERR_INTERNAL: true,
    ERR_INVALID_ARG: true,
    ERR_NO_HYPERVISOR: true,
    ERR_NO_THREAD: true,
    ERR_PAYLOAD_TOO_LARGE: true,
    ERR_POISONED: true,
    ERR_POOL_FULL: true,
    ERR_POOL_PREPARE: true,
    ERR_REENTRANT: true,
    ERR_SNAPSHOT: true,
  };
  const codes = (file: string, pattern: RegExp) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map(([, code]) => code).sort();
  assert.deepEqual(codes('docs/errors.md', /^\| `(ERR_\w+)` \|/gm), Object.keys(declared).sort());
  assert.deepEqual(codes('lib/errors.js', /^ {2}'(ERR_\w+)',$/gm), Object.keys(declared).sort());
  assert.deepEqual(codes('src/node/error.rs', /Self::\w+ => "(ERR_\w+)"/g), Object.keys(declared).sort());
});
