// A worker thread of interleavings.test.ts, which is terminated in the midst of what it does.
import { parentPort, workerData } from 'node:worker_threads';
import { Interleaving, Sandboxes } from './interleaving';
import { Random } from './random';

async function work() {
  const sandboxes = new Sandboxes();
  await sandboxes.get();
  parentPort?.postMessage(new Random(workerData).below(200));
  for (let seed = workerData; ; seed++) await new Interleaving(seed, sandboxes).run();
}

work();
