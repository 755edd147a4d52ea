// A worker as a process of its own: `node worker-process.js PORT QUEUE [OPTIONS as JSON]`.
import { hostCall } from '@hyperlight/js-host-api';
import { createWorker } from '../lib/index.js';
import { functions } from './functions.js';

const [port, queue, options = '{}'] = process.argv.slice(2);
const worker = createWorker({
  queue,
  connection: { host: '127.0.0.1', port: Number(port) },
  functions,
  hostFunctions: { job: { context: () => hostCall().context } },
  log: (level, text) => console.log(`${level}: ${text}`),
  ...JSON.parse(options),
});
await worker.ready();
console.log('ready');
process.once('SIGTERM', () => worker.drain({ timeoutMs: 1500 }).then(() => console.log('drained')));
