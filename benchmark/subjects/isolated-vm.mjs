// An isolate of V8 for each tenant, on threads of its own; a new context in it is clean state.
import { createRequire } from 'node:module';
import { ISOLATED_VM, versionOf } from '../peers.mjs';

// It cannot be used together with the snapshot that Node.js starts from.
export const execArgv = ['--no-node-snapshot'];

let ivm;

export function load() {
  ivm = createRequire(import.meta.url)(ISOLATED_VM);
  return versionOf(ISOLATED_VM);
}

export async function open({ source, host, sync, heap = 128 << 20 }) {
  const isolate = new ivm.Isolate({ memoryLimit: heap >> 20 });
  const script = await isolate.compileScript(source);

  async function start() {
    const context = await isolate.createContext();
    if (host) await addHost(context, host, sync);
    await script.run(context);
    return { context, handler: await context.global.get('handler', { reference: true }) };
  }
  const call = ({ handler }, event) =>
    handler.apply(undefined, [event], { arguments: { copy: true }, result: { copy: true, promise: true } });

  const tenant = await start();
  return {
    call: (event) => call(tenant, event),
    async fresh(event) {
      const fresh = await start();
      try {
        return await call(fresh, event);
      } finally {
        fresh.handler.release();
        fresh.context.release();
      }
    },
    close: async () => isolate.dispose(),
  };
}

async function addHost(context, host, sync) {
  const how = sync ? 'applySync' : 'apply';
  const options = `{ arguments: { copy: true }, result: { copy: true, promise: ${!sync} } }`;
  await context.evalClosure('globalThis.host = {};');
  for (const [name, callback] of Object.entries(host)) {
    const source = `host[$0] = (...values) => $1.${how}(undefined, values, ${options});`;
    await context.evalClosure(source, [name, new ivm.Reference(callback)]);
  }
}
