// A worker thread of caller.test.ts: says what host functions know of two calls at the same time.
import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort } from 'node:worker_threads';
import { hostCall, SandboxBuilder } from '@hyperlight/js-host-api';

async function work() {
  const storage = new AsyncLocalStorage<string>();
  const proto = await new SandboxBuilder().build();
  proto.registerAsync('which', 'ask', async () => {
    const { context, module, name } = hostCall() ?? {};
    return [storage.getStore(), context, module, name];
  });
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', "import { ask } from 'host:which'; export const handler = () => ask();");
  const loaded = await sandbox.getLoadedSandbox();
  const calls = ['a', 'b'].map((name, i) =>
    storage.run(name, () => loaded.callHandler('f', null, { context: { id: i + 1 } })),
  );
  parentPort?.postMessage(await Promise.all(calls));
}

work();
