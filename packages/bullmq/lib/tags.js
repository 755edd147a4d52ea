// Which function a name means at present, by the registry.
import { checkRegistry, resolve } from '@hyperlight/oci';
import { referenceOf } from './name.js';

/** Names that are remembered. */
const NAMES_MAX = 10_000;

export class Tags {
  #registry;
  #options;
  #maxAgeMs;
  /** By name: what was asked last, and when. */
  #known = new Map();

  constructor({ registry, tagMaxAgeMs, ...options }) {
    checkRegistry(registry, options);
    this.#registry = registry;
    this.#options = options;
    this.#maxAgeMs = tagMaxAgeMs;
  }

  /** The digest of a function. The registry is asked again when what it has said is older than the options allow. */
  digestOf(name) {
    const known = this.#known.get(name);
    if (known !== undefined && performance.now() - known.at < this.#maxAgeMs) return known.digest;
    const digest = resolve(referenceOf(this.#registry, name), this.#options);
    if (this.#known.size >= NAMES_MAX) this.#known.clear();
    const entry = { at: performance.now(), digest };
    this.#known.set(name, entry);
    digest.catch(() => {
      if (this.#known.get(name) === entry) this.#known.delete(name);
    });
    return digest;
  }
}
