// A process of exhausted.test.ts, which takes from it what a process can run out of, and tells it what to do then.
import { load } from '../sandbox';

const SOURCES = {
  count: 'let n = 0; function handler() { return ++n; }',
  spin: 'function handler() { for (;;); }',
};
const LIMIT = { wallClockTimeoutMs: 30_000 };

async function work() {
  const loaded = await load(SOURCES);
  const snapshot = await loaded.snapshot();
  const stopped = async (call: Promise<unknown>) => {
    try {
      return await call;
    } finally {
      await loaded.restore(snapshot);
    }
  };
  const commands: Record<string, () => unknown> = {
    make: async () => {
      const other = await load(SOURCES);
      const result = await other.callHandler('count', {}, LIMIT);
      await other[Symbol.asyncDispose]();
      return result;
    },
    use: async () => {
      await loaded.restore(snapshot);
      return loaded.callHandler('count', {}, LIMIT);
    },
    'be stopped by a timeout': () => stopped(loaded.callHandler('spin', {}, { wallClockTimeoutMs: 50 })),
    'be stopped by kill()': () => {
      setTimeout(() => loaded.interruptHandle.kill(), 50);
      return stopped(loaded.callHandler('spin', {}));
    },
  };
  // All that is loaded when it is first needed is there before anything is taken away.
  for (const command of Object.values(commands)) await Promise.allSettled([command()]);
  process.on('message', async (command: string) => {
    const [outcome] = await Promise.allSettled([commands[command]?.()]);
    process.send?.(outcome.status === 'fulfilled' ? outcome.value : (outcome.reason.code ?? String(outcome.reason)));
  });
  process.send?.('ready');
}

work();
