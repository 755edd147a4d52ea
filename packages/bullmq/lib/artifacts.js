// Functions from a registry, each named by its digest, in a folder of this process's own.
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRegistry, download, open } from '@hyperlight/oci';

const PREFIX = 'hyperlight-functions-';

/**
 * The folder has no more than so many bytes of functions that are not in use: those that were used longest ago go first. It
 * goes with the process, or if that was killed, when the next one starts.
 */
export class Artifacts {
  #registry;
  #options;
  #most;
  #folder;
  #bytes = 0;
  /** Transfers under way. Nothing is removed meanwhile: they leave out what is there. */
  #transfers = 0;
  #hasFailed = false;
  /** By digest, in the order of their last use, the oldest first. */
  #functions = new Map();
  /** How many functions have a blob, by its digest. */
  #blobs = new Map();

  constructor({ registry, cacheBytes, ...options }) {
    // What is wrong with it is to be known at once.
    checkRegistry(registry, options);
    this.#registry = registry;
    this.#options = options;
    this.#most = cacheBytes;
    removeLeftOvers();
  }

  /** Uses a function, which is fetched if it is not there. `work` gets its definition, and its files stay as long as it takes. */
  async use(name, digest, work) {
    this.#folder ??= mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    const entry = this.#enter(digest);
    try {
      await this.#fetch(entry, `${this.#registry}/${name}@${digest}`);
      const { source, snapshot } = await open(this.#folder, digest);
      return await work({ source, ...(snapshot && { snapshot: this.#folder, tag: snapshot }) });
    } finally {
      entry.users--;
      if (entry.users === 0 && entry.blobs === undefined) this.#functions.delete(digest);
      this.#shrink();
    }
  }

  async close() {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  #enter(digest) {
    const entry = this.#functions.get(digest) ?? { users: 0, blobs: undefined, transfer: undefined };
    entry.users++;
    this.#functions.delete(digest);
    this.#functions.set(digest, entry);
    return entry;
  }

  /** Fetches it once for all who want it. */
  async #fetch(entry, reference) {
    if (entry.blobs !== undefined) return;
    entry.transfer ??= this.#transfer(entry, reference);
    await entry.transfer;
  }

  async #transfer(entry, reference) {
    this.#transfers++;
    try {
      const { blobs } = await download(reference, this.#folder, this.#options);
      entry.blobs = blobs;
      for (const { digest, size } of blobs) {
        const users = this.#blobs.get(digest) ?? 0;
        if (users === 0) this.#bytes += size;
        this.#blobs.set(digest, users + 1);
      }
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    } finally {
      this.#transfers--;
      entry.transfer = undefined;
    }
  }

  /** Without a pause: what begins to be fetched finds a blob there, or does not. */
  #shrink() {
    if (this.#transfers > 0) return;
    if (this.#hasFailed) this.#removeUnknown();
    for (const [digest, { users, blobs }] of this.#functions) {
      if (this.#bytes <= this.#most) return;
      if (users > 0) continue;
      this.#functions.delete(digest);
      for (const blob of blobs) this.#leave(blob);
    }
  }

  #leave({ digest, size }) {
    const users = this.#blobs.get(digest) - 1;
    if (users > 0) this.#blobs.set(digest, users);
    else {
      this.#blobs.delete(digest);
      this.#bytes -= size;
      rmSync(join(this.#folder, 'blobs', ...digest.split(':')), { force: true });
    }
  }

  /** Removes what transfers have left that failed. */
  #removeUnknown() {
    this.#hasFailed = false;
    const folder = join(this.#folder, 'blobs', 'sha256');
    for (const name of namesIn(folder)) {
      if (!this.#blobs.has(`sha256:${name}`)) rmSync(join(folder, name), { force: true });
    }
  }
}

/** Removes what processes of this user have left that were killed. What cannot be removed is no reason not to work. */
function removeLeftOvers() {
  const started = Date.now() - process.uptime() * 1000;
  for (const name of namesIn(tmpdir())) {
    const [, pid] = name.match(/^hyperlight-functions-(\d+)-/) ?? [];
    if (pid === undefined) continue;
    const folder = join(tmpdir(), name);
    try {
      const { uid, birthtimeMs } = lstatSync(folder);
      if (uid !== process.getuid?.()) continue;
      // In a container each process has the number of the one before it.
      const isLeft = Number(pid) === process.pid ? birthtimeMs < started : !isAlive(Number(pid));
      if (isLeft) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another process may be removing it as well.
    }
  }
}

function namesIn(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
