// What tenants take that all wait for the host at the same time.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TENANTS = 1000;
const QUICK_TENANTS = 10;
/** Threads that were busy meanwhile, and are no longer needed, end some time later. */
const SETTLED_MS = 3000;

export const waiting = {
  name: 'async-wait',
  about: `memory of a tenant that waits for a promise of the host, one of ${TENANTS.toLocaleString('en')} (of ${QUICK_TENANTS} in a quick run), and threads of the process for all of them`,
  units: ['MiB resident', 'threads'],
  // A tenant is a thread or a process there.
  without: ['floor', 'worker', 'fork'],
  oneSample: true,
  rounds: 1,
  async start(subject, isQuick) {
    const waiters = [];
    const program = {
      source: `async function handler({ number }) { return (await host.wait(number)) + 1; }`,
      host: { wait: (number) => new Promise((resolve) => waiters.push(() => resolve(number))) },
      isAsync: true,
      atOnce: true,
    };
    return async () => {
      const count = isQuick ? QUICK_TENANTS : TENANTS;
      const first = await subject.open(program);
      const done = first.call({ number: 0 });
      while (waiters.length < 1) await sleep(1);
      const before = measure();
      const results = [];
      for (let i = 1; i <= count; i++) results.push((await subject.open(program)).call({ number: i }));
      while (waiters.length <= count) await sleep(10);
      await sleep(isQuick ? 0 : SETTLED_MS);
      const after = measure();
      for (const resolve of waiters) resolve();
      assert.equal(await done, 1, 'a wrong result');
      assert.deepEqual(
        await Promise.all(results),
        Array.from({ length: count }, (_, i) => i + 2),
        'a wrong result',
      );
      return { 'MiB resident': (after.resident - before.resident) / count, threads: after.threads - before.threads };
    };
  },
};

function measure() {
  const [, resident] = readFileSync('/proc/self/status', 'utf8').match(/^VmRSS:\s+(\d+)/m);
  return { resident: Number(resident) / 1024, threads: readdirSync('/proc/self/task').filter(isOfProgram).length };
}

/** Whether it is not the task that the kernel has for each virtual machine, which never runs a program's code. */
function isOfProgram(thread) {
  try {
    return !readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').startsWith('kvm-');
  } catch {
    // It has ended.
    return false;
  }
}
