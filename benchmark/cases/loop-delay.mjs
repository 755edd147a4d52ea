// How long the host's event loop has to wait while tenants compute.
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const TENANTS = 8;
const SPIN_MS = 1000;

const program = { source: `function handler({ until }) { while (Date.now() < until); return 'done'; }` };

export const loopDelay = {
  name: 'loop-delay',
  about: `delay of the host's event loop, 99th percentile, while ${TENANTS} tenants compute for a second`,
  units: ['ms'],
  without: ['floor'],
  async start(subject) {
    const tenants = await Promise.all(Array.from({ length: TENANTS }, () => subject.open(program)));
    return async () => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      // The first tick and the last are to be outside; a loop that is blocked has no others.
      await sleep(10);
      const event = { until: Date.now() + SPIN_MS };
      const results = await Promise.all(tenants.map((tenant) => tenant.call(event)));
      await sleep(10);
      delay.disable();
      for (const result of results) assert.equal(result, 'done', 'a wrong result');
      return { ms: delay.percentile(99) / 1e6 };
    };
  },
};
