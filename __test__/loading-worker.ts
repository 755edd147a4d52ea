// A worker thread of interrupt.test.ts: loads the handler that `workerData` has, and passes on what it prints.
import { parentPort, workerData } from 'node:worker_threads';
import { Lines, startWithLines } from './sandbox';

async function work() {
  const lines = new Lines();
  const sandbox = await startWithLines(lines);
  sandbox.addHandler('f', workerData);
  const loading = sandbox.getLoadedSandbox();
  parentPort?.postMessage(await lines.next());
  await loading;
}

work();
