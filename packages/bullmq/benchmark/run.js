// What docs/scale.md counts with: `node packages/bullmq/benchmark/run.js [ROUNDS]`, on Linux, with redis-server and docker-registry.
//
// All kinds of workers take turns in each round, and ratios are of two kinds in one round, so that they hold on a machine that
// does other work as well. Processor time is that of the processes themselves.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { push } from '@hyperlight/oci';
import { Redis } from 'ioredis';
import { Artifacts } from '../../oci/test/artifacts.js';
import { DockerRegistry } from '../../oci/test/docker-registry.js';
import { createClient, createWorker } from '../lib/index.js';
import { Fleet } from '../test/fleet.js';
import { TestRedis } from '../test/redis.js';

const ROUNDS = Number(process.argv[2] ?? 5);
const JOBS = 300;
/** Calls that the client has under way. */
const IN_FLIGHT = 64;
const CONCURRENCY = 2;
const EMPTY = fileURLToPath(new URL('empty-worker.js', import.meta.url));
const TICK_MS = 10;
/** The context of the tests' own tools, which this program ends itself. */
const ends = [];
const t = { after: (action) => ends.push(action) };

const redis = await TestRedis.start(t, { appendfsync: 'everysec' });
const admin = new Redis(redis.connection);
try {
  await measureJobs();
  await measureRedis();
  await measureColdFunctions();
} finally {
  admin.disconnect();
  for (const end of ends.reverse()) await end();
}
process.exit();

/** Jobs a second by the kind and the number of workers, and what they cost. */
async function measureJobs() {
  const kinds = ['empty', 'functions'].flatMap((kind) => [1, 2].map((workers) => ({ kind, workers, rounds: [] })));
  for (const it of kinds) {
    const queue = `${it.kind}-${it.workers}`;
    const fleet = new Fleet(t, redis, queue);
    it.client = fleet.client(t);
    it.pids = [];
    for (let i = 0; i < it.workers; i++) {
      const start =
        it.kind === 'empty' ? startEmpty : async () => (await fleet.start({ concurrency: CONCURRENCY })).child;
      it.pids.push((await start(queue)).pid);
    }
    await run(it, 50);
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const it of kinds) {
      const before = it.pids.map(processorMs);
      const [own, ofRedis] = [process.cpuUsage(), await redisMs()];
      const begun = performance.now();
      await run(it, JOBS);
      const seconds = (performance.now() - begun) / 1000;
      const worker = sum(it.pids.map(processorMs)) - sum(before);
      const { user, system } = process.cpuUsage(own);
      const cost = { worker, client: (user + system) / 1000, redis: (await redisMs()) - ofRedis };
      it.rounds.push({ rate: JOBS / seconds, ...perJob(cost) });
    }
  console.log(
    `| Workers | Jobs a second | Processor time of a job: workers | Redis | client |\n| --- | --- | --- | --- | --- |`,
  );
  for (const { kind, workers, rounds } of kinds) {
    const of = (name) => median(rounds.map((round) => round[name]));
    const name = `${workers} × ${kind === 'empty' ? 'BullMQ alone' : 'functions'}`;
    const costs = ['worker', 'redis', 'client'].map((part) => `${of(part).toFixed(2)} ms`);
    console.log(`| ${name} | ${of('rate').toFixed(0)} | ${costs.join(' | ')} |`);
  }
  const [empty1, empty2, functions1, functions2] = kinds;
  const ratio = (a, b, name = 'rate') => {
    const all = a.rounds.map((round, i) => round[name] / b.rounds[i][name]).sort((x, y) => x - y);
    return `${median(all).toFixed(2)} (${all[0].toFixed(2)} to ${all.at(-1).toFixed(2)})`;
  };
  console.log(`\nBullMQ's share of a job's time, 1 worker: ${ratio(functions1, empty1)}`);
  console.log(`BullMQ's share of a worker's processor time: ${ratio(empty1, functions1, 'worker')}`);
  console.log(`2 workers to 1, functions: ${ratio(functions2, functions1)}`);
  console.log(`2 workers to 1, BullMQ alone: ${ratio(empty2, empty1)}\n`);
}

function perJob(cost) {
  return Object.fromEntries(Object.entries(cost).map(([part, milliseconds]) => [part, milliseconds / JOBS]));
}

/** Has so many jobs done, with a bounded number under way. */
async function run({ client }, jobs) {
  let begun = 0;
  const one = async () => {
    while (begun < jobs) await client.call('double@1', begun++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

async function startEmpty(queue) {
  const child = spawn(process.execPath, [EMPTY, String(redis.port), queue, String(CONCURRENCY)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

/** What a job is to Redis: commands, bytes on the network, and memory while it waits and when it has ended. */
async function measureRedis() {
  const client = createClient({ queue: 'memory', connection: redis.connection });
  const read = async () => {
    const info = await admin.info();
    const value = (name) => Number(info.match(new RegExp(`^${name}:(\\d+)`, 'm'))[1]);
    const [commands, input, output] = [
      'total_commands_processed',
      'total_net_input_bytes',
      'total_net_output_bytes',
    ].map(value);
    return { commands, network: input + output, memory: value('used_memory') };
  };
  await client.call('double@1', 0, { timeoutMs: 100 }).catch(() => {});
  const start = await read();
  const calls = Array.from({ length: JOBS }, (_, n) => client.call('double@1', n));
  const count = async () => Number(await admin.zcard('bull:memory:prioritized'));
  while ((await count()) < JOBS) await new Promise((resolve) => setTimeout(resolve, 10));
  const waiting = await read();
  const fleet = new Fleet(t, redis, 'memory');
  await fleet.start({ concurrency: CONCURRENCY });
  await Promise.all(calls);
  const ended = await read();
  await client.close();
  const of = (from, to, name) => ((to[name] - from[name]) / JOBS).toFixed(name === 'commands' ? 1 : 0);
  console.log(
    `Redis for a job: ${of(start, ended, 'commands')} commands, ${of(start, ended, 'network')} bytes of network,`,
  );
  console.log(
    `${of(start, waiting, 'memory')} bytes while it waits, ${of(start, ended, 'memory')} when it has ended\n`,
  );
}

/** The first call of a function on a worker that has never had it, from a registry on the same machine. */
async function measureColdFunctions() {
  const registry = await DockerRegistry.start((action) => ends.push(action));
  const artifacts = new Artifacts((action) => ends.push(action));
  const prefix = `${registry.host}/functions`;
  const options = { queue: 'cold', connection: redis.connection, registry: prefix, credentials: () => undefined };
  const worker = createWorker({ ...options, concurrency: CONCURRENCY });
  await worker.ready();
  const client = createClient(options);
  const times = { warm: [], snapshot: [], source: [] };
  let bytes = 0;
  const time = async (name) => {
    const begun = performance.now();
    await client.call(name, 1);
    return performance.now() - begun;
  };
  for (let i = 0; i < 2 * ROUNDS; i++)
    for (const kind of ['snapshot', 'source']) {
      const { folder } = await artifacts.bundle(`export default (n) => n + ${i};`, { snapshot: kind === 'snapshot' });
      const name = `${kind}${i}`;
      const pushed = await push(folder, `${prefix}/${name}:1`, { credentials: options.credentials });
      if (kind === 'snapshot') bytes = pushed.sentBytes;
      times[kind].push(await time(`${name}@1`));
      times.warm.push(await time(`${name}@1`));
    }
  const [warm, snapshot, source] = ['warm', 'snapshot', 'source'].map((kind) => `${median(times[kind]).toFixed(0)} ms`);
  console.log(
    `A call alone: warm ${warm}; the first one of a function with a snapshot ${snapshot}, with its source only ${source}`,
  );
  console.log(`A function with a snapshot in the registry: ${bytes} bytes`);
  await client.close();
  await worker.drain();
}

/** Processor time that a process has used. */
function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function redisMs() {
  const info = await admin.info('cpu');
  const value = (name) => Number(info.match(new RegExp(`^${name}:([\\d.]+)`, 'm'))[1]) * 1000;
  return value('used_cpu_user') + value('used_cpu_sys');
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
