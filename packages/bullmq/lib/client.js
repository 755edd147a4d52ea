// Puts calls into a queue and gives their results.
import { Job, Queue, QueueEvents } from 'bullmq';
import { bullOptions, channelOfCancellations, connect } from './connection.js';
import { errorOf } from './failure.js';
import { isName } from './name.js';
import { Tags } from './tags.js';

/** Milliseconds after which a job is asked for that has not been heard of: an event may have been missed. */
const POLL_MS = 5_000;
/** BullMQ's lowest priority. */
const PRIORITY_MAX = 2 ** 21 - 1;

export function createClient(options) {
  return new Client(options);
}

class Client {
  #options;
  #queue;
  #events;
  #redis;
  #tags;
  #attempts;
  #maxEventBytes;
  /** What is waited for, by the number of its job. */
  #pending = new Map();
  /** Calls of each tenant that have not ended. */
  #outstanding = new Map();
  #poll;
  #isClosed = false;

  constructor(options) {
    this.#options = options;
    const { queue, attempts = 3, maxEventBytes = 2 ** 20, log = () => {} } = options;
    const { registry, plainHttp, credentials, tagMaxAgeMs = 1000 } = options;
    if (registry !== undefined) this.#tags = new Tags({ registry, plainHttp, credentials, tagMaxAgeMs });
    this.#attempts = attempts;
    this.#maxEventBytes = maxEventBytes;
    this.#queue = new Queue(queue, bullOptions(options));
    this.#events = new QueueEvents(queue, bullOptions(options));
    this.#redis = connect(options.connection);
    for (const source of [this.#queue, this.#events, this.#redis])
      source.on('error', ({ message }) => log('error', message));
    this.#events.on('completed', ({ jobId, returnvalue }) => this.#completed(jobId, returnvalue));
    this.#events.on('failed', ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
    this.#poll = setInterval(() => this.#ask(), POLL_MS).unref();
  }

  /** Calls a function and gives its value. */
  async call(name, event, options) {
    return (await this.callWithReceipt(name, event, options)).value;
  }

  /** Calls a function and gives its value and the receipt. */
  async callWithReceipt(name, event, { tenant = '', timeoutMs, signal, ...jobOptions } = {}) {
    this.#check(name, event, tenant);
    signal = withTimeout(signal, timeoutMs);
    if (signal?.aborted) throw cancelled(signal);
    const outstanding = (this.#outstanding.get(tenant) ?? 0) + 1;
    this.#outstanding.set(tenant, outstanding);
    try {
      // From here on it is this function, whatever becomes of the name while the job waits.
      const digest = await this.#tags?.digestOf(name);
      await this.#events.waitUntilReady();
      const job = await this.#queue.add(
        name,
        { function: name, digest, tenant, event },
        {
          attempts: this.#attempts,
          backoff: { type: 'exponential', delay: 100 },
          // The more a tenant waits for, the later comes what it adds: others do not wait for all of it.
          priority: Math.min(outstanding, PRIORITY_MAX),
          ...jobOptions,
        },
      );
      return await this.#end(job, signal);
    } finally {
      const left = this.#outstanding.get(tenant) - 1;
      if (left === 0) this.#outstanding.delete(tenant);
      else this.#outstanding.set(tenant, left);
    }
  }

  /** Calls that wait are rejected; their jobs go on. */
  async close() {
    this.#isClosed = true;
    clearInterval(this.#poll);
    for (const { reject } of this.#pending.values()) reject(closed());
    this.#pending.clear();
    this.#redis.disconnect();
    await Promise.all([this.#events.close(), this.#queue.close()]);
  }

  #check(name, event, tenant) {
    if (this.#isClosed) throw closed();
    if (!isName(name)) {
      throw invalid(`a function is called by name@version, not by ${String(name).slice(0, 100)}`);
    }
    if (typeof tenant !== 'string' || tenant.length > 256)
      throw invalid('a tenant is a text of at most 256 characters');
    const size = Buffer.byteLength(JSON.stringify(event) ?? '');
    if (size > this.#maxEventBytes) {
      const error = new Error(`the event has ${size} bytes; at most ${this.#maxEventBytes} are possible`);
      throw Object.assign(error, { code: 'ERR_PAYLOAD_TOO_LARGE', size, limit: this.#maxEventBytes, unit: 'bytes' });
    }
  }

  /** What a job comes to, or that its caller has given it up. */
  #end(job, signal) {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closed());
      const abort = () => {
        this.#pending.delete(job.id);
        reject(cancelled(signal));
        this.#giveUp(job).catch(() => {});
      };
      const settle = (then) => (value) => {
        signal?.removeEventListener('abort', abort);
        then(value);
      };
      this.#pending.set(job.id, { resolve: settle(resolve), reject: settle(reject) });
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort);
      // It may have ended before anybody waited for it.
      this.#askFor(job.id).catch(() => {});
    });
  }

  /** Removes a job that waits, and stops one that runs, wherever that is. */
  async #giveUp(job) {
    // The worker hears of it first: the job may be on its way there.
    await this.#redis.publish(channelOfCancellations(this.#options), job.id);
    await job.remove().catch(() => {});
  }

  #completed(id, result) {
    const { value, receipt } = typeof result === 'string' ? JSON.parse(result) : result;
    this.#take(id)?.resolve({ value, receipt });
  }

  #failed(id, reason) {
    this.#take(id)?.reject(errorOf(reason));
  }

  #take(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  async #ask() {
    for (const id of [...this.#pending.keys()]) await this.#askFor(id).catch(() => {});
  }

  async #askFor(id) {
    if (!this.#pending.has(id)) return;
    const job = await Job.fromId(this.#queue, id);
    if (job === undefined)
      return this.#failed(id, JSON.stringify({ code: 'ERR_RESULT_GONE', message: 'the job is gone' }));
    if (job.finishedOn === undefined) return;
    if (await job.isFailed()) this.#failed(id, job.failedReason);
    else if (await job.isCompleted()) this.#completed(id, job.returnvalue);
  }
}

function withTimeout(signal, timeoutMs) {
  if (timeoutMs === undefined) return signal;
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function cancelled(signal) {
  const terminatedBy = signal.reason?.name === 'TimeoutError' ? 'wall-clock' : 'signal';
  const error = new Error('the call was given up', { cause: signal.reason });
  return Object.assign(error, { code: 'ERR_CANCELLED', terminatedBy });
}

function closed() {
  return Object.assign(new Error('the client is closed'), { code: 'ERR_CONSUMED' });
}

function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}
