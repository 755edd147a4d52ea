// What the command line of the worker says.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const MIB = 2 ** 20;
const DAY_MS = 86_400_000;

/** Numbers: range, default, and what they are. */
const NUMBERS = {
  concurrency: [
    1,
    1024,
    undefined,
    'jobs at the same time, and sandboxes of each function; the processors unless given',
  ],
  'per-tenant-concurrency': [1, 1024, undefined, 'jobs of one tenant at the same time; all unless given'],
  'memory-budget-mib': [1, 2 ** 24, 4096, 'what all sandboxes may take'],
  'cache-mib': [0, 2 ** 24, 4096, 'what files of functions may take'],
  'cpu-timeout-ms': [1, DAY_MS, 10_000, 'processor time of a job'],
  'wall-clock-timeout-ms': [1, DAY_MS, 30_000, 'time of a job, waiting included'],
  'drain-timeout-ms': [0, DAY_MS, 30_000, 'time that jobs have to end after SIGTERM, before they go back to the queue'],
  'lock-duration-ms': [100, DAY_MS, 30_000, 'time after which a worker counts as lost'],
  'max-losses': [0, 1_000_000, 3, 'how often a job may lose its worker'],
};
const TEXTS = {
  redis: [
    'redis://127.0.0.1:6379',
    'URL of Redis or Valkey; rediss:// for TLS. A password is better in REDIS_URL',
    'REDIS_URL',
  ],
  queue: ['functions', 'name of the queue'],
  prefix: ['bull', 'what its keys in Redis begin with'],
  registry: [undefined, 'registry of the functions, and what their names begin with: registry.example/functions'],
  'host-functions': [undefined, 'module whose default export has functions for guests, by module and name'],
  http: ['127.0.0.1:9464', 'address of /ready, /alive and /metrics; port 0 takes a free one'],
};

export const HELP = `Usage: hyperlight-js worker --registry HOST [options]

Runs functions of an OCI registry for those who put calls into a queue of BullMQ. GET /ready answers 200 while it takes jobs and 503
while it does not, /alive always 200, /metrics for Prometheus. On SIGTERM or SIGINT it takes no more jobs, waits for those that run,
gives back those that do not end in time, and exits with 0. The credentials for the registry are those of docker login.

Options:
${[...Object.entries(TEXTS).map(([name, [normally, text]]) => line(name, 'TEXT', text, normally)), ...Object.entries(NUMBERS).map(([name, [, , normally, text]]) => line(name, 'N', text, normally))].join('')}  --plain-http
        plain HTTP for registries on other machines as well
  -h, --help
  -v, --version

Exit status: 0 if it was asked to end and did, 1 if it cannot run, 2 if the arguments are not understood.
`;

function line(name, kind, text, normally) {
  return `  --${name} ${kind}\n        ${text}${normally === undefined ? '' : ` (${normally})`}\n`;
}

/** The options, or an error that says what is wrong with them. */
export function readOptions(args, environment) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  const names = [...Object.keys(NUMBERS), ...Object.keys(TEXTS)];
  const { values } = parseArgs({
    args,
    options: {
      ...Object.fromEntries(names.map((name) => [name, text])),
      'plain-http': flag,
      help: { ...flag, short: 'h' },
      version: { ...flag, short: 'v' },
    },
  });
  const { help, version } = values;
  if (help || version) return { help, version };
  const number = (name) => {
    const [least, most, normally] = NUMBERS[name];
    if (values[name] === undefined) return normally;
    const value = Number(values[name]);
    if (/^\d+$/.test(values[name]) && value >= least && value <= most) return value;
    throw new Error(`--${name} takes a number from ${least} to ${most}`);
  };
  const textOf = (name) => {
    const [normally, , variable] = TEXTS[name];
    return values[name] ?? (environment[variable] || normally);
  };
  if (textOf('registry') === undefined) throw new Error('--registry is missing');
  const concurrency = number('concurrency') ?? availableParallelism();
  return {
    worker: {
      queue: textOf('queue'),
      connection: { url: redisOf(textOf('redis')) },
      prefix: textOf('prefix'),
      registry: textOf('registry'),
      plainHttp: values['plain-http'],
      concurrency,
      perTenantConcurrency: number('per-tenant-concurrency') ?? concurrency,
      memoryBudgetBytes: number('memory-budget-mib') * MIB,
      cacheBytes: number('cache-mib') * MIB,
      limits: { cpuTimeoutMs: number('cpu-timeout-ms'), wallClockTimeoutMs: number('wall-clock-timeout-ms') },
      lockDurationMs: number('lock-duration-ms'),
      maxLosses: number('max-losses'),
    },
    hostFunctions: textOf('host-functions'),
    http: addressOf(textOf('http')),
    drainTimeoutMs: number('drain-timeout-ms'),
  };
}

function redisOf(url) {
  if (/^rediss?:\/\/./.test(url) && URL.canParse(url)) return url;
  throw new Error('--redis takes a URL: redis://host:port');
}

function addressOf(text) {
  const [, host, port] = text.match(/^(\[[^\]]+\]|[^:]+):(\d{1,5})$/) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new Error('--http takes HOST:PORT');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
