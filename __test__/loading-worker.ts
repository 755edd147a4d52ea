// A worker thread of interrupt.test.ts: loads the handler that `workerData` has.
import { parentPort, workerData } from 'node:worker_threads';
import { start } from './sandbox';

async function work() {
  const sandbox = await start();
  sandbox.addHandler('f', workerData);
  const loading = sandbox.getLoadedSandbox();
  parentPort?.postMessage('loading');
  await loading;
}

work();
