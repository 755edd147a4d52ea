// The functions of a worker, each with a pool of sandboxes that is made when it is first needed, and the memory for them.
import { SandboxBuilder, SandboxPool, Snapshot } from '@hyperlight/js-host-api';
import { repositoryOf } from './name.js';

/** What a sandbox with the default settings takes at most. */
const SANDBOX_BYTES = 72 * 2 ** 20;

/**
 * Pools of functions, by name. Together they take no more than the budget: the one that was used longest ago goes first, and
 * one that is in use does not go. What does not fit waits until something is not in use any more.
 */
export class Functions {
  #definitions;
  #artifacts;
  #size;
  #budget;
  #log;
  /** In the order of their last use, the oldest first. */
  #pools = new Map();
  /** What the pools may take, those that are being closed among them. */
  #bytes = 0;
  #leaving = 0;
  #waiting = [];
  #isClosed = false;

  /** `artifacts` has what is named by a digest, if there is a registry. */
  constructor(definitions, { artifacts, size, memoryBudgetBytes, log }) {
    this.#definitions = definitions;
    this.#artifacts = artifacts;
    this.#size = size;
    this.#budget = memoryBudgetBytes;
    this.#log = log;
    for (const [name, definition] of Object.entries(definitions)) {
      if (definition.snapshot === undefined && definition.source === undefined) {
        throw invalid(`the function ${name} has neither a snapshot nor a source`);
      }
      this.#checkFit(`the function ${name}`, definition);
    }
    if (artifacts !== undefined) this.#checkFit('a function of the registry', {});
  }

  #checkFit(what, definition) {
    const bytes = this.#bytesOf(definition);
    if (bytes > this.#budget) throw invalid(`${what} needs ${bytes} bytes, more than memoryBudgetBytes`);
  }

  /** Uses a function's pool. With a digest it is that of a registry. */
  async use(name, digest, work) {
    const [key, definition] = this.#find(name, digest);
    const entry = await this.#enter(key, definition);
    try {
      return await work(await entry.pool, entry.definition);
    } finally {
      entry.users--;
      this.#admit();
    }
  }

  /** The functions whose pools there are, and what they may take. */
  stats() {
    return { warm: [...this.#pools.keys()], bytes: this.#bytes };
  }

  async close() {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(unavailable());
    await Promise.all([...this.#pools.keys()].map((name) => this.#drop(name)));
  }

  /** What a pool is kept under, and what it is made of. */
  #find(name, digest) {
    if (digest !== undefined) {
      if (this.#artifacts === undefined) throw notFound(`the worker of ${name} has no registry`);
      const repository = repositoryOf(name);
      return [`${repository}@${digest}`, { repository, digest }];
    }
    if (Object.hasOwn(this.#definitions, name)) return [name, this.#definitions[name]];
    const hint = this.#artifacts === undefined ? '' : ': callers need the option registry to call one of the registry';
    throw notFound(`there is no function ${name}${hint}`);
  }

  /** The pool of a function, which is in use from now on. */
  #enter(name, definition) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, definition, resolve, reject });
      this.#admit();
    });
  }

  /** Lets in what waits, in its order, but for what has a pool: that need not wait for memory. */
  #admit() {
    if (this.#isClosed) return;
    let isFull = false;
    this.#waiting = this.#waiting.filter(({ name, definition, resolve }) => {
      const entry = this.#pools.get(name) ?? (isFull ? undefined : this.#make(name, definition));
      if (entry === undefined) {
        isFull = true;
        return true;
      }
      // In use from now on, before another looks for what can go.
      entry.users++;
      this.#pools.delete(name);
      this.#pools.set(name, entry);
      resolve(entry);
      return false;
    });
  }

  /** Begins to make a pool, if there is memory for it. If there is not, it has others go that are not in use. */
  #make(name, definition) {
    const bytes = this.#bytesOf(definition);
    const idle = [...this.#pools].filter(([, { users }]) => users === 0);
    let free = this.#budget - this.#bytes + this.#leaving;
    while (free < bytes && idle.length > 0) {
      const [other, { bytes: theirs }] = idle.shift();
      void this.#drop(other);
      free += theirs;
    }
    if (this.#budget - this.#bytes < bytes) return undefined;
    this.#bytes += bytes;
    const entry = { definition, bytes, users: 0, pool: this.#poolOf(name, definition) };
    this.#pools.set(name, entry);
    entry.pool.then(
      () => this.#log('info', `the function ${name} is warm`),
      (error) => {
        this.#log('error', `the function ${name} cannot be prepared: ${error.message}`);
        // The next job tries again.
        if (this.#pools.get(name) === entry) void this.#drop(name);
      },
    );
    return entry;
  }

  async #drop(name) {
    const entry = this.#pools.get(name);
    this.#pools.delete(name);
    this.#leaving += entry.bytes;
    const pool = await entry.pool.catch(() => undefined);
    await pool?.close();
    this.#leaving -= entry.bytes;
    this.#bytes -= entry.bytes;
    this.#admit();
  }

  async #poolOf(name, definition) {
    const { repository, digest } = definition;
    const make = (found) => this.#snapshotOf(name, found);
    const snapshot = await (digest === undefined ? make(definition) : this.#artifacts.use(repository, digest, make));
    return new SandboxPool({ size: this.#size, snapshot, hostPrintFn: () => {} });
  }

  /** A snapshot fits one version of the package and one kind of processor. With sources, a worker can make its own. */
  async #snapshotOf(name, { snapshot, tag, source, language }) {
    if (snapshot !== undefined) {
      try {
        return await Snapshot.load(snapshot, tag);
      } catch (error) {
        if (source === undefined || error.code !== 'ERR_SNAPSHOT') throw error;
        this.#log('warn', `the snapshot of ${name} cannot be used here, and is made of its source: ${error.message}`);
      }
    }
    const sandbox = await (await new SandboxBuilder().build()).loadRuntime();
    sandbox.addHandler('handler', source, { language });
    const loaded = await sandbox.getLoadedSandbox();
    try {
      return await loaded.snapshot();
    } finally {
      await loaded[Symbol.asyncDispose]();
    }
  }

  #bytesOf({ sandboxBytes = SANDBOX_BYTES }) {
    return sandboxBytes * this.#size;
  }
}

function notFound(message) {
  return Object.assign(new Error(message), { code: 'ERR_FUNCTION_NOT_FOUND' });
}

function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}

function unavailable() {
  return Object.assign(new Error('the worker is closed'), { code: 'ERR_UNAVAILABLE' });
}
