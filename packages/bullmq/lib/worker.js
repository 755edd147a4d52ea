// Takes jobs from a queue and runs them in sandboxes.
import { availableParallelism } from 'node:os';
import { DelayedError, WaitingError, Worker } from 'bullmq';
import { Artifacts } from './artifacts.js';
import { bullOptions, channelOfCancellations, connect } from './connection.js';
import { factsOf, failureOf } from './failure.js';
import { Functions } from './functions.js';
import { warnOfSettings } from './redis-settings.js';
import { Tenants } from './tenants.js';

const GIB = 2 ** 30;
/** Cancellations that are remembered, in case their jobs are on their way. */
const CANCELLED_MAX = 10_000;
/** What running jobs are stopped with when they are handed back. */
const HANDED_BACK = 'the worker is drained';

export function createWorker(options) {
  return new FunctionWorker(options);
}

class FunctionWorker {
  #functions;
  #artifacts;
  #tenants;
  #limits;
  #hostFunctions;
  #log;
  #worker;
  #connection;
  #cancellations;
  /** Jobs that callers have given up. */
  #cancelled = new Set();
  #closing;
  #isReady = false;
  /** Jobs that run, and how those before them have ended. */
  #counts = { running: 0, completed: 0, failed: 0, handedBack: 0 };

  constructor(options) {
    const { queue, functions = {}, concurrency = availableParallelism(), memoryBudgetBytes = 4 * GIB } = options;
    const { perTenantConcurrency = concurrency, limits = {}, hostFunctions, log = () => {} } = options;
    const { maxLosses = 3, lockDurationMs = 30_000 } = options;
    const { registry, plainHttp, credentials, cacheBytes = 4 * GIB } = options;
    this.#log = log;
    this.#connection = options.connection;
    this.#limits = { wallClockTimeoutMs: 30_000, cpuTimeoutMs: 10_000, ...limits };
    this.#hostFunctions = hostFunctions;
    if (registry !== undefined) this.#artifacts = new Artifacts({ registry, plainHttp, credentials, cacheBytes });
    const artifacts = this.#artifacts;
    this.#functions = new Functions(functions, { artifacts, size: concurrency, memoryBudgetBytes, log });
    this.#tenants = new Tenants(perTenantConcurrency);
    this.#worker = new Worker(queue, (job, token, signal) => this.#process(job, token, signal), {
      ...bullOptions(options),
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: lockDurationMs,
      // A job whose worker is lost is taken up by another, so often.
      maxStalledCount: maxLosses,
      removeOnComplete: { age: 3600, count: 100_000 },
      removeOnFail: { age: 7 * 24 * 3600, count: 100_000 },
    });
    this.#worker.on('error', (error) => log('error', error.message));
    this.#cancellations = connect(options.connection);
    this.#cancellations.on('error', (error) => log('error', error.message));
    this.#cancellations.on('message', (_, id) => this.#cancel(id));
    this.#cancellations.subscribe(channelOfCancellations(options)).catch((error) => log('error', error.message));
  }

  /** Is fulfilled when jobs are taken. */
  async ready() {
    await this.#worker.waitUntilReady();
    const client = connect(this.#connection);
    client.on('error', (error) => this.#log('error', error.message));
    await warnOfSettings(client, this.#log);
    client.disconnect();
    this.#isReady = true;
  }

  /** Whether jobs are taken at present: it is running, and Redis answers. */
  get isReady() {
    return this.#isReady && this.isRunning && this.#cancellations.status === 'ready';
  }

  get isRunning() {
    return this.#worker.isRunning() && this.#closing === undefined;
  }

  stats() {
    return { ...this.#functions.stats(), ...this.#counts };
  }

  /** Takes no more jobs, and ends when those that run have; those that have not after `timeoutMs` go back to the queue. */
  drain({ timeoutMs = 30_000 } = {}) {
    this.#closing ??= this.#end(timeoutMs);
    return this.#closing;
  }

  async #end(timeoutMs) {
    const timer = setTimeout(() => this.#worker.cancelAllJobs(HANDED_BACK), timeoutMs);
    try {
      await this.#worker.close();
    } finally {
      clearTimeout(timer);
    }
    this.#cancellations.disconnect();
    await this.#functions.close();
    await this.#artifacts?.close();
  }

  #cancel(id) {
    if (this.#cancelled.size >= CANCELLED_MAX) this.#cancelled.delete(this.#cancelled.values().next().value);
    this.#cancelled.add(id);
    this.#worker.cancelJob(id, 'the caller has given it up');
  }

  async #process(job, token, signal) {
    const { function: name, digest, tenant, event } = job.data;
    if (!this.#tenants.enter(tenant)) {
      await job.moveToDelayed(Date.now() + this.#tenants.turnAway(tenant), token);
      throw new DelayedError();
    }
    this.#counts.running++;
    try {
      const result = await this.#functions.use(name, digest, (pool, { handler = 'handler' }) =>
        this.#call(pool, handler, event, job, signal),
      );
      this.#counts.completed++;
      return result;
    } catch (error) {
      if (this.#isHandedBack(signal)) {
        this.#counts.handedBack++;
        await job.moveToWait(token);
        throw new WaitingError();
      }
      this.#counts.failed++;
      throw failureOf(error);
    } finally {
      this.#counts.running--;
      this.#tenants.leave(tenant);
    }
  }

  #isHandedBack({ reason }) {
    return reason === HANDED_BACK || reason?.message === HANDED_BACK;
  }

  async #call(pool, handler, event, job, signal) {
    if (this.#cancelled.has(job.id))
      throw Object.assign(new Error('the caller has given it up'), { code: 'ERR_CANCELLED' });
    const context = {
      jobId: job.id,
      // The same for every attempt: a host function that has done its work for it need not do it again.
      idempotencyKey: `${job.queueName}/${job.id}`,
      attempt: job.attemptsStarted,
      tenant: job.data.tenant,
    };
    const functions = this.#hostFunctions;
    const options = { ...this.#limits, signal, context, maxConsoleBytes: 0, ...(functions && { functions }) };
    const { value, receipt } = await pool.callHandlerWithReceipt(handler, event, options);
    return { value, receipt: factsOf(receipt) };
  }
}
