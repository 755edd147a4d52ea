// A worker thread for each tenant; clean state is a new one.
import { MessageChannel, Worker } from 'node:worker_threads';
import { tenantOf } from './channel.mjs';

const TENANT = new URL('tenant.mjs', import.meta.url);

export function open(program) {
  return tenantOf(start, program);
}

function start({ source, host, sync }) {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { source, names: Object.keys(host ?? {}), sync, signal, replies: port2 };
  const worker = new Worker(TENANT, { workerData, transferList: [port2] });
  return {
    onMessage: (listener) => worker.on('message', listener),
    onEnd: (listener) => worker.on('error', listener),
    send: (message) => worker.postMessage(message),
    // The worker waits for it and cannot take messages.
    answer(message) {
      port1.postMessage(message);
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    },
    async end() {
      port1.close();
      await worker.terminate();
    },
  };
}
