import { workerData } from 'node:worker_threads';
import { live } from './life.mjs';

await live(workerData.seed, workerData.steps);
