// The worker as a program, in real processes: what it says over HTTP, how it ends, and what it does not accept.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { push } from '@hyperlight/oci';
import { Queue } from 'bullmq';
import parse from 'parse-prometheus-text-format';
import { Artifacts } from '../../oci/test/artifacts.js';
import { DockerRegistry } from '../../oci/test/docker-registry.js';
import { createClient } from '../lib/index.js';
import { atEnd } from './at-end.js';
import { TestRedis } from './redis.js';

const MAIN = fileURLToPath(new URL('../../../bin/hyperlight-js.js', import.meta.url));
const OWN = fileURLToPath(new URL('../bin/hyperlight-worker.js', import.meta.url));

class Program {
  output = '';

  constructor(t, args, { program = MAIN, env = {} } = {}) {
    this.child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.exited = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(code ?? signal)));
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    atEnd(t, () => this.child.kill('SIGKILL'));
  }

  /** Waits until it says so, and gives what it has said. */
  async says(pattern) {
    let hasExited = false;
    this.exited.then(() => {
      hasExited = true;
    });
    for (;;) {
      const match = this.output.match(pattern);
      if (match !== null) return match;
      assert.ok(!hasExited, this.output);
      await sleep(10);
    }
  }
}

test('the worker as a program', async (t) => {
  const onEnd = (action) => atEnd(t, action);
  const [redis, registry] = await Promise.all([TestRedis.start(t), DockerRegistry.start(onEnd)]);
  const artifacts = new Artifacts(onEnd);
  const prefix = `${registry.host}/functions`;
  const credentials = () => undefined;
  for (const [name, source] of [
    ['double', 'export default (n) => 2 * n;'],
    ['wait', 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));'],
    ['context', 'export default async () => (await job.context()).tenant;'],
  ])
    await push((await artifacts.bundle(source)).folder, `${prefix}/${name}:1`, { credentials });
  const connection = redis.connection;
  const client = createClient({ queue: 'functions', connection, registry: prefix, credentials });
  onEnd(() => client.close());
  const queue = new Queue('functions', { connection });
  queue.on('error', () => {});
  onEnd(() => queue.close());
  const hostFunctions = join(artifacts.folder, 'host.mjs');
  const main = fileURLToPath(import.meta.resolve('@hyperlight/js-host-api'));
  writeFileSync(
    hostFunctions,
    `import api from '${main}'; export default { job: { context: async () => api.hostCall().context } };`,
  );
  const args = ['--registry', prefix, '--http', '127.0.0.1:0', '--concurrency', '2', '--drain-timeout-ms', '1500'];
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, DOCKER_CONFIG: artifacts.folder };
  const start = () => new Program(t, ['worker', ...args, '--host-functions', hostFunctions], { env });
  const first = start();

  const [, url] = await first.says(/listening on (http:\S+)/);
  const get = (path, options) => fetch(`${url}${path}`, options);
  await first.says(/info: ready/);

  await t.test('it says whether it is ready, and its metrics in the form of Prometheus', async () => {
    assert.deepEqual(
      await Promise.all([1, 2, 3].map((n) => client.call('double@1', n, { tenant: 'acme' }))),
      [2, 4, 6],
    );
    assert.equal(await client.call('context@1', null, { tenant: 'acme' }), 'acme');
    for (const [path, status] of [
      ['/ready', 200],
      ['/alive', 200],
      ['/else', 404],
    ])
      assert.equal((await get(path)).status, status);
    assert.equal((await get('/ready', { method: 'POST' })).status, 405);
    const response = await get('/metrics');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const families = Object.fromEntries(parse(await response.text()).map((family) => [family.name, family]));
    const value = (name, labels = {}) =>
      families[name].metrics.find((it) => Object.entries(labels).every(([label, text]) => it.labels?.[label] === text))
        .value;
    assert.equal(value('hyperlight_worker_ready'), '1');
    assert.equal(value('hyperlight_worker_jobs_total', { result: 'completed' }), '4');
    assert.equal(value('hyperlight_worker_functions_warm'), '2');
    assert.equal(value('bullmq_job_count', { state: 'completed' }), '4');
    assert.equal(families.hyperlight_js_call_duration_seconds.type, 'HISTOGRAM');
  });

  await t.test('while Redis is gone it is not ready, but alive, and then it is ready again', async () => {
    await redis.kill();
    while ((await get('/ready')).status !== 503) await sleep(10);
    assert.equal((await get('/alive')).status, 200);
    assert.match(await (await get('/metrics')).text(), /^hyperlight_worker_ready 0$/m);
    await redis.begin();
    while ((await get('/ready')).status !== 200) await sleep(10);
    assert.equal(await client.call('double@1', 4), 8);
  });

  await t.test('SIGTERM: no more jobs are taken, those that end in time end, others go to another worker', async () => {
    assert.equal(await client.call('wait@1', 1), 1);
    const calls = [client.call('wait@1', 200), client.call('wait@1', 3000)];
    while ((await queue.getActiveCount()) < 2) await sleep(5);
    const later = client.call('double@1', 5);
    first.child.kill('SIGTERM');
    await first.says(/info: draining/);
    assert.equal((await get('/ready')).status, 503);
    assert.equal(await first.exited, 0);
    assert.match(first.output, /info: drained: 7 jobs completed, 0 failed, 1 handed back\n$/);
    assert.doesNotMatch(first.output, /^warn/m);
    assert.equal(await calls[0], 200);
    assert.equal(await queue.getActiveCount(), 0);
    const second = start();
    assert.equal(await later, 10);
    assert.equal(await calls[1], 3000);
    second.child.kill('SIGINT');
    assert.equal(await second.exited, 0);
  });
});

test('what the worker is not told rightly is an error, and it exits', async (t) => {
  const registry = ['--registry', 'registry.example/functions'];
  const cases = [
    [[], 2, /--registry is missing/],
    [[...registry, '--concurrency', '0'], 2, /--concurrency takes a number from 1 to 1024/],
    [[...registry, '--http', 'nowhere'], 2, /--http takes HOST:PORT/],
    [[...registry, '--redis', 'http://x'], 2, /--redis takes a URL/],
    [['--what'], 2, /--what/],
    [['--registry', 'http://registry.example'], 1, /ERR_PLAIN_HTTP: .*--plain-http/],
    [[...registry, '--memory-budget-mib', '1'], 2, /more than memoryBudgetBytes/],
    [[...registry, '--host-functions', '/nowhere.mjs'], 1, /nowhere\.mjs/],
    [['--help'], 0, /^Usage: hyperlight-js worker /],
  ];
  const programs = cases.map(([args]) => new Program(t, args, { program: OWN }));
  for (const [i, [args, status, message]] of cases.entries()) {
    assert.equal(await programs[i].exited, status, `${args}: ${programs[i].output}`);
    assert.match(programs[i].output, message);
  }
});
