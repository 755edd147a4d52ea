// A process that has its number of threads limited by the one that has started it, and tells what becomes of its sandboxes.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxPool } from '@hyperlight/js-host-api';
import { load, start } from './sandbox';

const SPIN = 'function handler() { for (;;); }';
const ECHO = 'function handler(event) { return event; }';

/** Lets the process have so many threads more than it has. */
async function allow(more: number): Promise<void> {
  const limit = readdirSync('/proc/self/task').length + more;
  const done = once(process, 'message');
  process.send?.({ limit });
  await done;
}

/** What a promise comes to: `'fulfilled'`, or the code of its error. */
function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'fulfilled',
    (error) => String(error.code ?? error),
  );
}

const SCENARIOS: Record<string, () => Promise<unknown>> = {
  async 'what is to stop'() {
    const loaded = await load({ spin: SPIN, echo: ECHO });
    const snapshot = await loaded.snapshot();
    await loaded.callHandler('echo', 1);
    const others = [await load({ spin: SPIN }), await load({ spin: SPIN })] as const;
    for (const other of others) await outcome(other.callHandler('spin', 1, { wallClockTimeoutMs: 1 }));
    await allow(0);
    const outcomes: Record<string, string> = {};
    const stop = async (name: string, call: Promise<unknown>) => {
      outcomes[name] = await outcome(call);
      await loaded.restore(snapshot);
    };
    await stop('wall clock', loaded.callHandler('spin', 1, { wallClockTimeoutMs: 50 }));
    await stop('cpu', loaded.callHandler('spin', 1, { cpuTimeoutMs: 50 }));
    setTimeout(() => loaded.interruptHandle.kill(), 50);
    await stop('kill', loaded.callHandler('spin', 1));
    outcomes.echo = await outcome(loaded.callHandler('echo', 1, { wallClockTimeoutMs: 60_000 }));
    setTimeout(() => loaded.dispose(), 50);
    outcomes.dispose = await outcome(loaded.callHandler('spin', 1));
    return outcomes;
  },
  async 'what is to begin'() {
    const first = await load({ echo: ECHO });
    await first.callHandler('echo', 1);
    const warm = await start();
    warm.addHandler('echo', ECHO);
    await allow(0);
    const cpu = process.cpuUsage();
    const starved = await outcome(warm.getLoadedSandbox());
    await sleep(1000);
    const { user, system } = process.cpuUsage(cpu);
    const echo = await outcome(first.callHandler('echo', 1));
    await allow(100);
    const lifted = await outcome(warm.getLoadedSandbox().then((loaded) => loaded.callHandler('echo', 1)));
    return { starved, echo, lifted, isIdle: user + system < 500_000 };
  },
  async 'the first of all'() {
    await allow(0);
    const starved = await outcome(start());
    await allow(100);
    return { starved, lifted: await outcome(start()) };
  },
  async 'a pool'() {
    const snapshot = await (await load({ spin: SPIN, echo: ECHO })).snapshot();
    const pool = new SandboxPool({ size: 3, snapshot });
    while (pool.ready < 3) await sleep(10);
    await allow(0);
    const calls = Array.from({ length: 12 }, (_, i) =>
      outcome(i % 3 ? pool.callHandler('echo', i) : pool.callHandler('spin', i, { wallClockTimeoutMs: 20 })),
    );
    const outcomes = await Promise.all(calls);
    await pool.close();
    return outcomes;
  },
};

void SCENARIOS[process.argv[2] ?? '']?.().then((told) => {
  process.send?.({ told }, () => process.disconnect());
});
