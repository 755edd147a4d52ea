// Calls that wait, and all that can happen to them meanwhile, in random orders: results, kills, signals, limits, restores, disposal,
// the end of a worker thread. A call ends as it may, and nothing of it reaches a later one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Interleaving, Sandboxes } from './interleaving';
import { until, virtualMachines } from './memory';

const COUNT = Number(process.env.INTERLEAVINGS ?? 100);
const SEED = Number(process.env.INTERLEAVINGS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Of so many, one is ended by the end of its thread. */
const IN_WORKERS = 50;

async function terminate(seed: number) {
  const worker = new Worker(join(__dirname, 'interleaving-worker.js'), { workerData: seed });
  const failures: unknown[] = [];
  worker.on('error', (error) => failures.push(error));
  // It says how far it is going to come.
  const [turns] = await once(worker, 'message');
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  await worker.terminate();
  assert.deepEqual(failures, []);
}

test('nothing of a call reaches a later one, whatever happens in whatever order', async (t: TestContext) => {
  t.diagnostic(`INTERLEAVINGS_SEED=${SEED} INTERLEAVINGS=${COUNT}`);
  const before = virtualMachines();
  const sandboxes = new Sandboxes();
  for (let i = 0; i < COUNT; i++) {
    try {
      await new Interleaving(SEED + i, sandboxes).run();
      if (i % IN_WORKERS === 0) await terminate(SEED + i);
    } catch (error) {
      t.diagnostic(error instanceof Error ? (error.stack ?? '') : String(error));
      throw new Error(`repeat this with INTERLEAVINGS_SEED=${SEED + i} INTERLEAVINGS=1`, { cause: error });
    }
  }
  t.diagnostic(`calls by their ends: ${JSON.stringify(sandboxes.ends)}`);
  sandboxes.dispose();
  assert.ok(await until(() => virtualMachines() <= before));
  // Every way to end a call has been gone.
  if (COUNT < 1000) return;
  for (const end of ['fulfilled', 'ERR_CANCELLED', 'ERR_CONSUMED', 'ERR_GUEST_ERROR', 'ERR_POISONED']) {
    assert.ok((sandboxes.ends[end] ?? 0) > 0, end);
  }
});
