// A sandbox of this module.
import { setTimeout } from 'node:timers/promises';
import * as sandboxes from '@hyperlight/js-host-api';

function builderFor({ heap, buffers }) {
  const builder = new sandboxes.SandboxBuilder();
  if (heap) builder.setHeapSize(heap);
  if (buffers) builder.setInputBufferSize(buffers).setOutputBufferSize(buffers).setMaxOutputValues(buffers);
  return builder;
}

async function start(program) {
  const { source, host, atOnce } = program;
  const proto = await builderFor(program).build();
  const register = atOnce ? 'registerAsync' : 'register';
  for (const [name, callback] of Object.entries(host ?? {})) proto[register]('bench', name, callback);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('handler', host ? `import * as host from 'host:bench';\n${source}` : source);
  return sandbox.getLoadedSandbox();
}

export async function open(program) {
  const sandbox = await start(program);
  const options = program.gc === undefined ? undefined : { gc: program.gc };
  const call = (event) => sandbox.callHandler('handler', event, options);
  let snapshot;
  return {
    call,
    async fresh(event) {
      if (snapshot) await sandbox.restore(snapshot);
      else snapshot = await sandbox.snapshot();
      return call(event);
    },
    close: () => sandbox[Symbol.asyncDispose](),
  };
}

export const stock = (program) => builderFor(program).prewarm({ sandboxes: 2 });

export async function openPool(program, size) {
  if (!sandboxes.SandboxPool) throw new Error('no SandboxPool');
  const sandbox = await start(program);
  const snapshot = await sandbox.snapshot();
  sandbox.dispose();
  const pool = new sandboxes.SandboxPool({ size, snapshot, maxQueue: size });
  return {
    call: (event) => pool.callHandler('handler', event),
    rest: () => rested(pool),
    close: () => pool.close(),
  };
}

export async function openRunner(host) {
  const pool = new sandboxes.SandboxPool({ size: 2 });
  return {
    async run(source, input) {
      const { value } = await pool.run(source, { input, functions: { host } });
      return { result: value };
    },
    rest: () => rested(pool),
  };
}

async function rested(pool) {
  while (pool.ready < pool.size) await setTimeout(1);
}
