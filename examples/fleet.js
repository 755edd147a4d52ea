// A fleet on one machine: a registry, Redis, two workers, and a client that calls functions on them.
// It starts docker-registry and redis-server, which must be installed: apt-get install docker-registry redis-server
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@hyperlight/bullmq';
import { bundleFunction, push } from '@hyperlight/oci';

const WORKER = fileURLToPath(
  new URL('bin/hyperlight-worker.js', import.meta.resolve('@hyperlight/bullmq/package.json')),
);
const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
const programs = new Set();

try {
  const [registryPort, redisPort] = [await freePort(), await freePort()];
  await startRegistry(registryPort);
  await startRedis(redisPort);
  // A registry with these names of functions, and a queue.
  const registry = `127.0.0.1:${registryPort}/functions`;
  const connection = { host: '127.0.0.1', port: redisPort };

  await release('greet:1', 'export default ({ name }: { name: string }) => `Hello, ${name}!`;');
  await release('crash:1', 'export default () => { for (;;); };');
  const options = ['--registry', registry, '--redis', `redis://127.0.0.1:${redisPort}`, '--http', '127.0.0.1:0'];
  const workers = [await startWorker('one', options), await startWorker('two', options)];

  const client = createClient({ queue: 'functions', connection, registry });
  console.log('greet@1:', await client.call('greet@1', { name: 'World' }));
  const names = Array.from({ length: 20 }, (_, i) => `caller ${i}`);
  const answers = await Promise.all(names.map((name) => client.call('greet@1', { name }, { tenant: name })));
  console.log(`20 callers: ${new Set(answers).size} answers, from "${answers[0]}" to "${answers.at(-1)}"`);

  const endless = await client.call('crash@1', null).catch((error) => error);
  console.log(`crash@1: ${endless.code}, stopped by ${endless.terminatedBy}`);
  console.log('none@1:', await client.call('none@1', null).catch(({ code }) => code));

  // A machine is lost, another one is told to end: callers notice nothing.
  workers[0].kill('SIGKILL');
  const later = client.call('greet@1', { name: 'again' });
  console.log('a worker was killed:', await later);
  await startWorker('three', options);
  workers[1].kill('SIGTERM');
  console.log('a worker was asked to end, and exited with', await exit(workers[1]));
  console.log('greet@1:', await client.call('greet@1', { name: 'the third worker' }));

  await release('greet:1', 'export default ({ name }: { name: string }) => `Good day, ${name}.`;');
  await sleep(1100); // for so long the client remembers what a tag means
  console.log('greet@1 is another function:', await client.call('greet@1', { name: 'World' }));
  await client.close();

  /** Makes a function of a source, and has a tag of the registry name it from now on. */
  async function release(name, source) {
    const entry = join(folder, 'handler.ts');
    await writeFile(entry, source);
    const { snapshot } = await bundleFunction({ entry, folder: join(folder, 'function') });
    await push(join(folder, 'function'), `${registry}/${name}`);
    console.log(`pushed ${name} with ${snapshot ? 'a snapshot' : 'its source only'}`);
  }
} finally {
  for (const program of programs) program.kill('SIGKILL');
  await Promise.all([...programs].map(exit));
  await rm(folder, { recursive: true });
}

async function startRegistry(port) {
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'registry') } },
    http: { addr: `127.0.0.1:${port}` },
  };
  await writeFile(join(folder, 'registry.json'), JSON.stringify(config));
  start('docker-registry', ['serve', join(folder, 'registry.json')]);
  await answers(() => fetch(`http://127.0.0.1:${port}/v2/`));
  console.log('a registry is running');
}

async function startRedis(port) {
  const data = join(folder, 'redis');
  await mkdir(data);
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', data, '--appendonly', 'yes', '--save', ''];
  const redis = start('redis-server', options.map(String));
  for await (const line of createInterface({ input: redis.stdout })) if (line.includes('Ready to accept')) break;
  redis.stdout.resume();
  console.log('Redis is running');
}

async function startWorker(name, options) {
  const limits = ['--concurrency', '2', '--cpu-timeout-ms', '500', '--lock-duration-ms', '1000'];
  const worker = start(process.execPath, [WORKER, ...options, ...limits]);
  for await (const line of createInterface({ input: worker.stderr })) if (line === 'info: ready') break;
  worker.stderr.resume();
  console.log(`worker ${name} is ready`);
  return worker;
}

function start(command, args) {
  const program = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  programs.add(program);
  program.once('exit', () => programs.delete(program));
  program.once('error', () => {
    programs.delete(program);
    console.error(`${command} cannot be started. Debian, Ubuntu: apt-get install docker-registry redis-server`);
    process.exit(1);
  });
  if (command !== process.execPath) program.stderr.resume();
  return program;
}

function exit(program) {
  if (program.exitCode !== null) return program.exitCode;
  return new Promise((resolve) => program.once('exit', resolve));
}

async function answers(ask) {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(20);
    }
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
