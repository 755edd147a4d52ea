// How many jobs of each tenant run in a worker, and when those are looked at again for which there was no place.

/** Milliseconds until a job is looked at again, at least and at most. */
const DELAY_MIN = 50;
const DELAY_MAX = 2000;
/** Milliseconds after which it is forgotten how many a tenant had that were turned away. */
const MEMORY_MS = 5000;
/** Tenants of whom that is remembered. */
const TENANTS_MAX = 10_000;

export class Tenants {
  #most;
  #running = new Map();
  /** How many were turned away one after the other, and when the last one was. */
  #turnedAway = new Map();

  constructor(most) {
    this.#most = most;
  }

  /** Takes a place for a job of a tenant, if there is one. It must be given back. */
  enter(tenant) {
    const running = this.#running.get(tenant) ?? 0;
    if (running >= this.#most) return false;
    this.#running.set(tenant, running + 1);
    return true;
  }

  leave(tenant) {
    const running = this.#running.get(tenant) - 1;
    if (running === 0) this.#running.delete(tenant);
    else this.#running.set(tenant, running);
  }

  /**
   * Milliseconds until a job is looked at again that had no place. The more a tenant has of these the later, so that a flood does not
   * have the worker do nothing but turn jobs away.
   */
  turnAway(tenant) {
    const now = performance.now();
    const known = this.#turnedAway.get(tenant);
    const count = known !== undefined && now - known.at < MEMORY_MS ? known.count + 1 : 1;
    this.#turnedAway.delete(tenant);
    if (this.#turnedAway.size >= TENANTS_MAX) this.#turnedAway.delete(this.#turnedAway.keys().next().value);
    const delay = Math.min(DELAY_MIN * Math.ceil(count / this.#most), DELAY_MAX);
    // No more than what makes the longest delay: when the flood is over, it is soon forgotten.
    this.#turnedAway.set(tenant, { count: Math.min(count, (DELAY_MAX / DELAY_MIN) * this.#most), at: now });
    return delay;
  }
}
