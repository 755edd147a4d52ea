// Runs programs, each in a sandbox in clean state.
import { SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';

const MIB = 1024 * 1024;
/** The host function of a run through which a program's `tools` reach the host. */
export const BRIDGE = 'hyperlight_tools';
/**
 * Runs once in each sandbox. `tools` has whatever is asked for: which tools there are, the host knows, and it may change.
 * Promises look for `then`, so that is no tool.
 */
const PRELUDE = `
  const named = (make) => new Proxy(Object.freeze(Object.create(null)), {
    get: (_, name) => (typeof name === 'string' && name !== 'then' ? make(name) : undefined),
  });
  const tools = named((server) => named((tool) => (...args) => globalThis.${BRIDGE}.call(server, tool, args)));
  Object.defineProperty(globalThis, 'tools', { value: tools });
  export function handler() {}
`;

export class Programs {
  #options;
  #builder;
  #pool;
  #starting;

  /** Throws if a size is out of range. */
  constructor(options) {
    this.#options = options;
    this.#builder = () =>
      new SandboxBuilder().setHeapSize(options.heapMib * MIB).setScratchSize(options.scratchMib * MIB);
    this.#builder();
  }

  /** Resolves to how long it has taken, in ms. It boots the guest at its first call, and says if there is no hypervisor. */
  async start() {
    if (this.#pool) return 0;
    const begun = performance.now();
    this.#starting ??= this.#boot().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
    return performance.now() - begun;
  }

  async #boot() {
    await this.#builder().prewarm();
    this.#pool = new SandboxPool({
      size: this.#options.poolSize,
      maxQueue: this.#options.maxQueue,
      prepare: () => this.#prepare(),
    });
  }

  async #prepare() {
    const jsSandbox = await (await this.#builder().build()).loadRuntime();
    if (this.#options.servers.size > 0) jsSandbox.addHandler('prelude', PRELUDE);
    return jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 10_000 });
  }

  /** `call` is what `tools` call, if there are any. If a program does not compile as it is, it may be TypeScript. */
  async run(source, { call, signal } = {}) {
    const { cpuTimeoutMs, wallClockTimeoutMs, maxConsoleBytes, maxToolCalls: maxHostCalls, fetch } = this.#options;
    const functions = call && { [BRIDGE]: { call } };
    const options = { functions, fetch, signal, cpuTimeoutMs, wallClockTimeoutMs, maxConsoleBytes, maxHostCalls };
    try {
      return await this.#pool.run(source, options);
    } catch (error) {
      if (error.code !== 'ERR_COMPILE') throw error;
      return this.#pool.run(source, { ...options, language: 'typescript' });
    }
  }

  async close() {
    await this.#starting?.catch(() => {});
    await this.#pool?.close();
  }
}
