// How many jobs of each tenant run in a worker.

export class Tenants {
  #most;
  #running = new Map();

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
}
