// A real Redis, on a free port of the loopback interface, for one test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { atEnd } from './at-end.js';

const MISSING = 'redis-server is not installed. Debian, Ubuntu: apt-get install redis-server';

export class TestRedis {
  #folder = mkdtempSync(join(tmpdir(), 'hyperlight-redis-'));
  #options;
  #process;
  port;

  /** Starts it, with an append-only file unless the options say otherwise, and ends it with the test. */
  static async start(t, options = {}) {
    const redis = new TestRedis();
    redis.#options = { appendonly: 'yes', appendfsync: 'always', ...options };
    redis.port = await freePort();
    await redis.begin();
    atEnd(t, () => redis.#end());
    return redis;
  }

  get connection() {
    return { host: '127.0.0.1', port: this.port };
  }

  async begin() {
    const options = { port: this.port, bind: '127.0.0.1', dir: this.#folder, save: '', ...this.#options };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#process = spawn('redis-server', args, { stdio: 'ignore' });
    const failed = new Promise((_, reject) => {
      this.#process.once('error', (error) => reject(error.code === 'ENOENT' ? new Error(MISSING) : error));
    });
    await Promise.race([failed, this.#answers()]);
  }

  /** Ends it as a machine that loses its power does. */
  kill() {
    return new Promise((resolve) => {
      this.#process.once('exit', resolve);
      this.#process.kill('SIGKILL');
    });
  }

  async #answers() {
    const client = new Redis({ ...this.connection, retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => {});
    await client.ping();
    client.disconnect();
  }

  async #end() {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
