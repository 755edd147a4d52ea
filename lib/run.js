// Programs for those without a pool of their own.

/** What the addon reads. */
const SYNC = Symbol.for('hyperlight-js.sync');

/** Marks functions as such that the guest waits for. */
exports.sync = (functions) => {
  if (typeof functions !== 'object' || functions === null) throw invalid('the functions must be an object');
  return Object.defineProperty({ ...functions }, SYNC, { value: true });
};

/** `run()`, which makes its pool when it is first needed. */
exports.runIn = ({ SandboxBuilder, SandboxPool }) => {
  let pool;
  return async (source, options) => {
    pool ??= new SandboxPool({ size: Math.min(processors(), 1024) });
    try {
      return await pool.run(source, options);
    } catch (error) {
      // If there is no hypervisor, the builder says so by its own code.
      if (error.code === 'ERR_POOL_PREPARE') (await new SandboxBuilder().build()).dispose();
      throw error;
    }
  };
};

function processors() {
  const os = process.getBuiltinModule?.('node:os') ?? require('node:os');
  return os.availableParallelism?.() ?? Math.max(os.cpus().length, 1);
}

function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}
