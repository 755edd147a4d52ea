// A worker thread of workers.test.ts: says when its call is under way, then gives the result.
import { parentPort, workerData } from 'node:worker_threads';
import { loadBody } from './sandbox';

async function work() {
  const loaded = await loadBody('const end = Date.now() + event; while (Date.now() < end); return event;');
  const call = loaded.callHandler('f', workerData);
  parentPort?.postMessage('calling');
  parentPort?.postMessage(await call);
}

work();
