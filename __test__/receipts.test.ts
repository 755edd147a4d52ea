// What calls tell of themselves: receipts, and the memory that they have used.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Receipt, SandboxBuilder, SandboxPool, Snapshot } from '@hyperlight/js-host-api';
import { load, rejection } from './sandbox';

const MIB = 2 ** 20;

/** The receipt of an error. */
function receiptOf(error: Error): Receipt {
  const { receipt } = error as { receipt?: Receipt };
  assert.ok(receipt);
  return receipt;
}

/** A sandbox whose handler `f` calls host functions and writes to its console, and whose handler `fail` throws then. */
async function loadBusy() {
  const proto = await new SandboxBuilder().build();
  proto.hostModule('db').register('find', (id: number) => ({ id }));
  const sandbox = await proto.loadRuntime();
  const work = `console.log('begun'); find(1); find(2); console.error('done');`;
  sandbox.addHandler('f', `import { find } from 'host:db'; function handler(event) { ${work} return event; }`);
  sandbox.addHandler('fail', `import { find } from 'host:db'; function handler() { ${work} throw new Error('no'); }`);
  sandbox.addHandler('own', 'async function handler() { await mine.one(); return mine.one(); }');
  sandbox.addHandler('loop', 'function handler() { console.log("looping"); for (;;); }');
  return sandbox.getLoadedSandbox();
}

test('the receipt of a call says what it has cost, which host functions it has called, and what it has printed', async () => {
  const sandbox = await loadBusy();
  const { value, receipt } = await sandbox.callHandlerWithReceipt('f', [1, 2]);
  assert.deepEqual(value, [1, 2]);
  assert.deepEqual(Object.keys(receipt.hostCalls), ['db.find']);
  assert.equal(receipt.hostCalls['db.find']?.count, 2);
  assert.deepEqual(
    receipt.console.map(({ level, text }) => [level, text]),
    [
      ['info', 'begun'],
      ['error', 'done'],
    ],
  );
  assert.deepEqual([receipt.inputBytes, receipt.outputBytes, receipt.droppedLines], [5, 5, 0]);
  // At the beginning, after each host call, and after each line.
  assert.deepEqual([receipt.entries, receipt.suspendedMs, receipt.terminatedBy], [5, 0, null]);
  assert.deepEqual([receipt.guestImage, receipt.snapshotDigest], [SandboxBuilder.guestImage.hash, null]);
  const { hostCalls, ...stats } = sandbox.lastCallStats ?? assert.fail();
  assert.equal(hostCalls, 2);
  for (const [name, figure] of Object.entries(stats)) assert.equal(receipt[name as keyof Receipt], figure, name);

  const own = await sandbox.callHandlerWithReceipt('own', null, { functions: { mine: { one: async () => 1 } } });
  assert.deepEqual([own.value, own.receipt.hostCalls['mine.one']?.count], [1, 2]);
  const none = await sandbox.callHandlerWithReceipt('f', 1, { maxConsoleBytes: 0 });
  assert.deepEqual([none.receipt.console, none.receipt.droppedLines], [[], 2]);
});

test('the error of a call has a receipt as well, if it has begun', async () => {
  const sandbox = await loadBusy();
  const failed = receiptOf(await rejection('ERR_GUEST_ERROR', sandbox.callHandlerWithReceipt('fail', null)));
  assert.deepEqual([failed.hostCalls['db.find']?.count, failed.console.length], [2, 2]);
  assert.ok((failed.peakHeapBytes ?? 0) >= (failed.heapBytes ?? 1));
  const limits = { wallClockTimeoutMs: 100 };
  const error = await rejection('ERR_CANCELLED', sandbox.callHandlerWithReceipt('loop', null, limits));
  const stopped = receiptOf(error);
  assert.deepEqual([stopped.terminatedBy, stopped.console[0]?.text], ['wall-clock', 'looping']);
  // It has said what it had in use when it printed its line.
  assert.ok((stopped.peakHeapBytes ?? 0) > 0);
  const poisoned = await rejection('ERR_POISONED', sandbox.callHandlerWithReceipt('f', null));
  assert.equal('receipt' in poisoned, false);
  await rejection('ERR_INVALID_ARG', sandbox.callHandlerWithReceipt('f', null, { maxConsoleBytes: -1 }));
  await rejection('ERR_INVALID_ARG', sandbox.callHandler('f', null, { maxConsoleBytes: 1 } as never));
});

test('requests of a pool have receipts of their own', async () => {
  const snapshot = await (
    await load({ f: 'function handler(n) { for (let i = 0; i < n; i++) console.log(i); }' })
  ).snapshot();
  const pool = new SandboxPool({ size: 2, snapshot, hostPrintFn: () => {} });
  const calls = [1, 2, 3, 4].map((n) => pool.callHandlerWithReceipt('f', n));
  assert.deepEqual(
    (await Promise.all(calls)).map(({ receipt }) => receipt.console.length),
    [1, 2, 3, 4],
  );
  receiptOf(await rejection('ERR_HANDLER_NOT_FOUND', pool.callHandlerWithReceipt('g', null)));
  await pool.close();
  await rejection('ERR_CONSUMED', pool.callHandlerWithReceipt('f', 1));
});

test('a handler that holds 8 MiB has used at least that and no more than 9, and no more is in use afterwards', async () => {
  const sandbox = await load({
    hold: `function handler() { const held = new Uint8Array(${8 * MIB}); return held.length; }`,
    keep: `let kept; function handler() { kept = new Uint8Array(${8 * MIB}); return kept.length; }`,
    nothing: 'function handler() {}',
  });
  const used = async (name: string) => {
    const { stats } = await sandbox.callHandlerWithStats(name, null);
    return [(stats.peakHeapBytes ?? 0) / MIB, (stats.heapBytes ?? 0) / MIB] as const;
  };
  const [peakOfNothing, nothing] = await used('nothing');
  assert.ok(nothing > 0 && nothing <= peakOfNothing && peakOfNothing < 1, `${nothing} of ${peakOfNothing} MiB`);
  const [peak, after] = await used('hold');
  assert.ok(peak >= 8 && peak <= 9, `${peak} MiB`);
  assert.ok(after < 1, `${after} MiB`);
  const [, kept] = await used('keep');
  assert.ok(kept >= 8 && kept <= 9, `${kept} MiB`);
  // The peak is that of the call, not that of calls before.
  assert.ok((await used('nothing'))[0] <= 9);
});

test('a call may use less memory than its sandbox has, and can catch that there is no more', async () => {
  const sandbox = await load({
    f: `function handler(mebibytes) {
      try {
        return new Uint8Array(mebibytes * ${MIB}).length;
      } catch (error) {
        return error.message;
      }
    }`,
    fail: `function handler() { const all = []; for (;;) all.push(new Uint8Array(${MIB})); }`,
  });
  const limit = { memoryLimitBytes: 4 * MIB };
  assert.equal(await sandbox.callHandler('f', 2, limit), 2 * MIB);
  assert.match(await sandbox.callHandler('f', 5, limit), /memory/);
  const { stats } = await sandbox.callHandlerWithStats('f', 5, limit);
  assert.ok((stats.peakHeapBytes ?? Infinity) <= 4 * MIB);
  // It is that of one call.
  assert.equal(await sandbox.callHandler('f', 5), 5 * MIB);
  assert.match(await sandbox.callHandler('f', 5, limit), /memory/);
  const error = await rejection('ERR_GUEST_ERROR', sandbox.callHandler('fail', null, limit));
  assert.match(error.guestMessage ?? '', /memory/);
  assert.equal(await sandbox.callHandler('f', 5), 5 * MIB);
  // Less than there is in use already: nothing can be done in the call, and nothing else happens.
  await rejection('ERR_GUEST_ERROR', sandbox.callHandler('fail', null, { memoryLimitBytes: 1 }));
  assert.equal(await sandbox.callHandler('f', 5, { memoryLimitBytes: 6 * 2 ** 30 }), 5 * MIB);
  for (const memoryLimitBytes of [0, -1, 1.5, 6 * 2 ** 30 + 1, '1', null]) {
    await rejection('ERR_INVALID_ARG', sandbox.callHandler('f', 1, { memoryLimitBytes } as never));
  }
});

test('a limit of memory holds when a call goes on after it has waited, and for programs', async () => {
  const pool = new SandboxPool({ size: 1 });
  const source = `await new Promise((resolve) => setTimeout(resolve, 5)); return new Uint8Array(5 * ${MIB}).length`;
  assert.equal((await pool.run(source)).value, 5 * MIB);
  const error = await rejection('ERR_GUEST_ERROR', pool.run(source, { memoryLimitBytes: 4 * MIB }));
  assert.ok((receiptOf(error).peakHeapBytes ?? Infinity) <= 4 * MIB);
  const { receipt } = await pool.run(source);
  assert.ok((receipt.peakHeapBytes ?? 0) >= 5 * MIB);
  await pool.close();
});

test('a receipt names the snapshot that the call began with, once that has a digest', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'receipts-'));
  try {
    const sandbox = await load({ f: 'function handler() { return 1; }' });
    const snapshot = await sandbox.snapshot();
    const digestOf = async (of: typeof sandbox | SandboxPool) =>
      (await of.callHandlerWithReceipt('f', null)).receipt.snapshotDigest;
    assert.equal(await digestOf(sandbox), null);
    await sandbox.restore(snapshot);
    assert.equal(await digestOf(sandbox), null, 'it has been saved nowhere');
    const digest = await snapshot.save(join(folder, 'snapshots'), 'f');
    assert.equal(await digestOf(sandbox), digest);
    const pool = new SandboxPool({ size: 1, snapshot: await Snapshot.load(join(folder, 'snapshots'), 'f') });
    for (let i = 0; i < 3; i++) assert.equal(await digestOf(pool), digest);
    await pool.close();
    const empty = new SandboxPool({ size: 1 });
    assert.equal((await empty.run('1')).receipt.snapshotDigest, null);
    await empty.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
