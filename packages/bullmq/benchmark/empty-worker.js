// BullMQ alone, as a process of its own: `node empty-worker.js PORT QUEUE CONCURRENCY`. Its jobs give back what they get.
import { Worker } from 'bullmq';

const [port, queue, concurrency] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const options = { connection, concurrency: Number(concurrency), removeOnComplete: { age: 3600, count: 100_000 } };
const worker = new Worker(queue, async ({ data }) => ({ value: data.event }), options);
await worker.waitUntilReady();
console.log('ready');
