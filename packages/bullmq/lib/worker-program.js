// A worker as a program of its own.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { Queue } from 'bullmq';
import { bullOptions } from './connection.js';
import { createWorker } from './worker.js';
import { serve } from './worker-server.js';

/** Milliseconds that giving back jobs and closing may take after the time that jobs have to end. */
const CLOSING_MS = 10_000;

/** Runs a worker until the process is asked to end. */
export async function runWorker({ worker: options, hostFunctions, http, drainTimeoutMs }, say) {
  // Without a hypervisor no job could ever run: the reason is to be seen at once.
  (await new SandboxBuilder().build()).dispose();
  const functions = hostFunctions && (await import(pathToFileURL(resolve(hostFunctions)))).default;
  const asked = new Promise((done) => process.once('SIGTERM', done).once('SIGINT', done));
  const worker = createWorker({ ...options, hostFunctions: functions, log: say });
  const queue = new Queue(options.queue, bullOptions(options));
  // The worker says the same.
  queue.on('error', () => {});
  const server = await serve(http, worker, queue);
  const { address, port } = server.address();
  say('info', `listening on http://${address.includes(':') ? `[${address}]` : address}:${port}`);
  worker.ready().then(
    () => say('info', 'ready'),
    (error) => say('error', error.message),
  );
  await asked;
  say('info', 'draining');
  await inTime(worker.drain({ timeoutMs: drainTimeoutMs }), drainTimeoutMs + CLOSING_MS);
  server.close();
  const { completed, failed, handedBack } = worker.stats();
  say('info', `drained: ${completed} jobs completed, ${failed} failed, ${handedBack} handed back`);
}

function inTime(promise, milliseconds) {
  const late = new Promise((_, reject) => {
    const problem = new Error('the jobs could not be given back: others take them when their locks have expired');
    setTimeout(reject, milliseconds, problem).unref();
  });
  return Promise.race([promise, late]);
}
