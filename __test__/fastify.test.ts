// A server that runs generated programs, with more requests in flight than its pool has sandboxes. FASTIFY_SECONDS says for how
// long; Fastify is installed with the recipes.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { SandboxPool } from '@hyperlight/js-host-api';

const SECONDS = Number(process.env.FASTIFY_SECONDS ?? 2);
const IN_FLIGHT = 32;
const POOL_SIZE = 4;

interface Reply {
  code(status: number): Reply;
  send(body: unknown): Reply;
}
interface Server {
  post(path: string, serve: (request: { body: { source: string; user: string } }, reply: Reply) => unknown): void;
  listen(options: { port: number; host: string }): Promise<string>;
  close(): Promise<void>;
}

/** A program that has been written for one request, and what it gives. */
function generate(i: number, user: string): [source: string, expected: unknown] {
  const n = i % 100;
  switch (i % 4) {
    case 0:
      return [`(await db.find(${n})).name.toUpperCase()`, `ROW ${n} OF ${user.toUpperCase()}`];
    case 1:
      return [
        `const rows = await Promise.all([${n}, ${n + 1}].map((id) => db.find(id)));
         console.log('found', rows.length);
         return rows.map(({ id }) => id);`,
        [n, n + 1],
      ];
    case 2:
      return [
        `export default async () => { let sum = 0; for (let i = 0; i < ${n}; i++) sum += i; return sum; }`,
        (n * (n - 1)) / 2,
      ];
    default:
      return [`globalThis.seen = (globalThis.seen ?? 0) + 1; return [seen, input]`, [1, user]];
  }
}

test(`${IN_FLIGHT} requests in flight for programs in a pool of ${POOL_SIZE}`, async (t) => {
  const load = createRequire(join(__dirname, '..', 'recipes', 'index.js'));
  const app = (load('fastify') as () => Server)();
  const pool = new SandboxPool({ size: POOL_SIZE });
  app.post('/run', async ({ body: { source, user } }, reply) => {
    const functions = { db: { find: async (id: number) => ({ id, name: `row ${id} of ${user}` }) } };
    try {
      const { value } = await pool.run(source, { input: user, functions, wallClockTimeoutMs: 30_000 });
      return reply.send({ value });
    } catch (error) {
      return reply.code(500).send({ code: (error as { code: string }).code });
    }
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const until = performance.now() + SECONDS * 1000;
  const durations: number[] = [];
  let begun = 0;
  const client = async (number: number) => {
    while (performance.now() < until) {
      const user = `user ${number}`;
      const [source, expected] = generate(begun++, user);
      const began = performance.now();
      const response = await fetch(`${address}/run`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ source, user }),
      });
      durations.push(performance.now() - began);
      assert.deepEqual([response.status, await response.json()], [200, { value: expected }], source);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, number) => client(number)));
  await app.close();
  await pool.close();
  durations.sort((a, b) => a - b);
  const [median, p99] = [0.5, 0.99].map((share) => Math.round(durations[Math.floor(durations.length * share)] ?? 0));
  t.diagnostic(`${durations.length} requests in ${SECONDS} s without an error: median ${median} ms, p99 ${p99} ms`);
});
