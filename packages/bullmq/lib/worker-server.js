// What a worker tells over HTTP: whether it takes jobs, and its metrics.
import { createServer } from 'node:http';
import { metrics } from '@hyperlight/js-host-api';

const TEXT = 'text/plain; charset=utf-8';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
/** Milliseconds that Redis may take to say how many jobs there are. */
const QUEUE_TIMEOUT_MS = 1000;

/** Serves until the server is closed. `queue` is BullMQ's, for the numbers of jobs. */
export async function serve({ host, port }, worker, queue) {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, async (request, response) => {
    const [status, type, body] = await answer(request, worker, queue);
    response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  // A connection that fails later is no reason to end.
  server.removeAllListeners('error').on('error', () => {});
  return server;
}

async function answer({ method, url }, worker, queue) {
  if (method !== 'GET' && method !== 'HEAD') return [405, TEXT, 'only GET\n'];
  switch (url.split('?')[0]) {
    case '/alive':
      return [200, TEXT, 'alive\n'];
    case '/ready':
      return worker.isReady ? [200, TEXT, 'ready\n'] : [503, TEXT, 'not ready\n'];
    case '/metrics':
      return [200, PROMETHEUS, `${metrics.prometheus()}${ofWorker(worker)}${await ofQueue(queue)}`];
    default:
      return [404, TEXT, 'there are /alive, /ready and /metrics\n'];
  }
}

function ofWorker(worker) {
  const { warm, bytes, running, completed, failed, handedBack } = worker.stats();
  return [
    family('hyperlight_worker_ready', 'gauge', 'Whether jobs are taken.', [['', Number(worker.isReady)]]),
    family('hyperlight_worker_jobs_running', 'gauge', 'Jobs that run.', [['', running]]),
    family('hyperlight_worker_jobs_total', 'counter', 'Jobs by how they have ended here.', [
      ['{result="completed"}', completed],
      ['{result="failed"}', failed],
      ['{result="handed_back"}', handedBack],
    ]),
    family('hyperlight_worker_functions_warm', 'gauge', 'Functions with sandboxes.', [['', warm.length]]),
    family('hyperlight_worker_sandbox_bytes', 'gauge', 'What all sandboxes may take.', [['', bytes]]),
  ].join('');
}

/** The jobs of the queue, by BullMQ's own name, or nothing while Redis does not answer. */
async function ofQueue(queue) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(reject, QUEUE_TIMEOUT_MS, new Error('Redis does not answer'));
  });
  try {
    const counts = await Promise.race([queue.getJobCounts(), timeout]);
    const name = queue.name.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    const samples = Object.entries(counts).map(([state, count]) => [`{queue="${name}",state="${state}"}`, count]);
    return family('bullmq_job_count', 'gauge', 'Jobs of the queue by their state.', samples);
  } catch {
    return '';
  } finally {
    clearTimeout(timer);
  }
}

function family(name, kind, help, samples) {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
}
