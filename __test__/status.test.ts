import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxStatus } from '@hyperlight/js-host-api';
import { Lines, loadBody, loadWithLines, rejection, start } from './sandbox';

test('a sandbox is ready before and after calls that end, also with an error', async () => {
  const sandbox = await start();
  assert.equal(sandbox.status, 'ready');
  const loaded = await loadBody('if (event) throw new Error("no");');
  assert.equal(loaded.status, 'ready');
  await loaded.callHandler('f', 0);
  await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', 1));
  await rejection('ERR_HANDLER_NOT_FOUND', loaded.callHandler('g', 1));
  assert.equal(loaded.status, 'ready');
});

test('a sandbox is poisoned from a call that is stopped until restore()', async () => {
  const loaded = await loadBody('while (event);');
  const snapshot = await loaded.snapshot();
  await rejection('ERR_CANCELLED', loaded.callHandler('f', true, { wallClockTimeoutMs: 50 }));
  assert.deepEqual([loaded.status, loaded.poisoned], ['poisoned', true]);
  await rejection('ERR_POISONED', loaded.callHandler('f', false));
  await rejection('ERR_POISONED', loaded.snapshot());
  await loaded.restore(snapshot);
  assert.deepEqual([loaded.status, loaded.poisoned], ['ready', false]);
  await loaded.callHandler('f', false);
});

test('what unload() gives is ready, and the consumed object keeps its status', async () => {
  const loaded = await loadBody('for (;;);');
  await rejection('ERR_CANCELLED', loaded.callHandler('f', {}, { wallClockTimeoutMs: 50 }));
  const sandbox = await loaded.unload();
  assert.deepEqual([sandbox.status, sandbox.poisoned], ['ready', false]);
  assert.equal(loaded.status, 'poisoned');
});

test('a source that cannot be loaded leaves the sandbox ready', async () => {
  const sandbox = await start();
  sandbox.addHandler('f', 'function handler( {');
  await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.equal(sandbox.status, 'ready');
});

test('the status of what was disposed of says so', async () => {
  const sandbox = await start();
  sandbox.dispose();
  assert.deepEqual([sandbox.status, sandbox.poisoned], [SandboxStatus.Disposed, false]);
  const lines = new Lines();
  const loaded = await loadWithLines(lines, { f: 'for (;;);' });
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
  // A call that has not begun yet would be refused.
  assert.equal(await lines.next(), 'begun');
  const disposed = loaded[Symbol.asyncDispose]();
  assert.equal(loaded.status, SandboxStatus.Disposed);
  await Promise.all([call, disposed]);
  assert.equal(loaded.status, 'disposed');
  const consumed = await loadBody('');
  const unloaded = await consumed.unload();
  consumed.dispose();
  assert.deepEqual([consumed.status, unloaded.status], ['ready', 'ready']);
});

test('the names of the statuses cannot be changed', () => {
  assert.deepEqual(Object.values(SandboxStatus), ['ready', 'poisoned', 'unrecoverable', 'disposed']);
  assert.ok(Object.isFrozen(SandboxStatus));
});
