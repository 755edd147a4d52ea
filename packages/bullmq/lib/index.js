export { createClient } from './client.js';
export { createWorker } from './worker.js';
