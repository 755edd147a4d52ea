// A short check of the addon that runs on every supported Node.js, without a test runner: `node __test__/smoke.mjs`.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { isMainThread, Worker } from 'node:worker_threads';
import { hostCall, SandboxBuilder } from '@hyperlight/js-host-api';

const lines = [];
const protoSandbox = await new SandboxBuilder()
  .setHeapSize(8 * 1024 * 1024)
  .setScratchSize(1024 * 1024)
  .setHostPrintFn((level, text) => lines.push([level, text]))
  .build();
protoSandbox.hostModule('math').register('add', (a, b) => a + b);
protoSandbox.register('math', 'later', async (value) => value);
protoSandbox.register('math', 'refuse', async () => {
  throw new RangeError('refused');
});
let call;
protoSandbox.register('math', 'reenter', () => call.callHandler('greet', {}));
const request = new AsyncLocalStorage();
protoSandbox.registerAsync('math', 'caller', async () => {
  await null;
  return [request.getStore(), hostCall().context, hostCall().signal.aborted];
});

const jsSandbox = await protoSandbox.loadRuntime();
jsSandbox.addModule('shared', 'let count = 0; export const next = () => ++count;');
jsSandbox.addHandler(
  'greet',
  "function handler(event) { event.message = 'Hello, ' + event.name + '!'; return event; }",
);
jsSandbox.addHandler(
  'sum',
  "import { add, later } from 'host:math'; function handler({ a, b }) { return later(add(a, b)); }",
);
jsSandbox.addHandler('refuse', "import { refuse } from 'host:math'; function handler() { refuse(); }");
jsSandbox.addHandler('count', "import { next } from 'user:shared'; function handler() { return next(); }");
jsSandbox.addHandler('print', "function handler() { console.warn('line'); }");
jsSandbox.addHandler('fail', "function handler() { throw new TypeError('no'); }");
jsSandbox.addHandler('spin', 'function handler() { for (;;); }');
jsSandbox.addHandler('reenter', "import { reenter } from 'host:math'; function handler() { return reenter(); }");
jsSandbox.addHandler('caller', "import { caller } from 'host:math'; function handler() { return caller(); }");
const loadedSandbox = await jsSandbox.getLoadedSandbox();
call = loadedSandbox;

assert.deepEqual(await loadedSandbox.callHandler('greet', { name: 'World' }), {
  name: 'World',
  message: 'Hello, World!',
});
assert.equal(await loadedSandbox.callHandler('sum', { a: 20, b: 22 }), 42);
await loadedSandbox.callHandler('print', {});
assert.deepEqual(lines, [['warn', 'line']]);
await assert.rejects(loadedSandbox.callHandler('fail', {}), { code: 'ERR_GUEST_ERROR', guestName: 'TypeError' });
await assert.rejects(loadedSandbox.callHandler('refuse', {}), {
  code: 'ERR_GUEST_ERROR',
  guestName: 'HostFunctionError',
  guestMessage: 'refused',
});
await assert.rejects(loadedSandbox.callHandler('reenter', {}), { code: 'ERR_GUEST_ERROR' });
const callers = ['a', 'b'].map((name, context) =>
  request.run(name, () => loadedSandbox.callHandler('caller', {}, { context })),
);
assert.deepEqual(await Promise.all(callers), [
  ['a', 0, false],
  ['b', 1, false],
]);

assert.equal(await loadedSandbox.callHandler('count', {}), 1);
const snapshot = await loadedSandbox.snapshot();
assert.equal(await loadedSandbox.callHandler('count', {}), 2);
for (const options of [{ wallClockTimeoutMs: 100 }, { cpuTimeoutMs: 100 }]) {
  await assert.rejects(loadedSandbox.callHandler('spin', {}, options), { code: 'ERR_CANCELLED' });
  assert.equal(loadedSandbox.status, 'poisoned');
  await loadedSandbox.restore(snapshot);
  assert.equal(loadedSandbox.status, 'ready');
}
assert.equal(await loadedSandbox.callHandler('count', {}), 2);

const { interruptHandle } = loadedSandbox;
setTimeout(() => interruptHandle.kill(), 100);
await assert.rejects(loadedSandbox.callHandler('spin', {}), { code: 'ERR_CANCELLED' });
const unloaded = await loadedSandbox.unload();
unloaded.dispose();
assert.throws(() => unloaded.addHandler('f', ''), { code: 'ERR_CONSUMED' });

// Node.js before 18.18 does not know the symbol.
await snapshot[Symbol.asyncDispose ?? 'dispose']();
const other = await (await (await new SandboxBuilder().build()).loadRuntime()).getLoadedSandbox();
await assert.rejects(other.restore(snapshot), { code: 'ERR_CONSUMED' });
other[Symbol.dispose ?? 'dispose']();
await assert.rejects(other.callHandler('greet', {}), { code: 'ERR_CONSUMED' });

if (isMainThread) {
  // All of it once more, in a worker thread.
  assert.deepEqual(await once(new Worker(new URL(import.meta.url)), 'exit'), [0]);
  console.log(`Node.js ${process.versions.node}: everything works`);
}
