// A worker thread of host-functions.test.ts: a guest that calls a host function which does what `workerData` names.
import { parentPort, workerData } from 'node:worker_threads';
import { loadWithHost } from './sandbox';

const callbacks: Record<string, () => unknown> = {
  answer: async () => 42,
  'wait for ever': () => {
    parentPort?.postMessage('waiting');
    return new Promise(() => setInterval(() => {}, 1000));
  },
  spin: () => {
    parentPort?.postMessage('waiting');
    for (;;);
  },
  exit: () => process.exit(3),
};

async function work() {
  const loaded = await loadWithHost({ act: callbacks[workerData] as () => unknown }, 'return host.act();');
  parentPort?.postMessage(await loaded.callHandler('f', {}));
}

work();
