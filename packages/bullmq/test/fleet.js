// Workers in processes of their own, and a client.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createClient } from '../lib/index.js';
import { atEnd } from './at-end.js';

const WORKER = fileURLToPath(new URL('worker-process.js', import.meta.url));

export class Fleet {
  #redis;
  #queue;
  workers = [];

  constructor(t, redis, queue = 'functions') {
    this.#redis = redis;
    this.#queue = queue;
    atEnd(t, () => {
      for (const { child } of this.workers) child.kill('SIGKILL');
    });
  }

  /** Starts a worker and waits until it takes jobs. */
  async start(options = {}) {
    const args = [WORKER, String(this.#redis.port), this.#queue, JSON.stringify({ concurrency: 2, ...options })];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const worker = { child, lines: [], exited: new Promise((resolve) => child.once('exit', resolve)) };
    this.workers.push(worker);
    child.stdout.setEncoding('utf8');
    await new Promise((resolve, reject) => {
      child.stdout.on('data', (text) => {
        worker.lines.push(...text.split('\n'));
        if (worker.lines.includes('ready')) resolve();
      });
      worker.exited.then((code) => reject(new Error(`the worker has exited: ${code}`)));
    });
    return worker;
  }

  client(t, options = {}) {
    const client = createClient({ queue: this.#queue, connection: this.#redis.connection, ...options });
    atEnd(t, () => client.close());
    return client;
  }
}
