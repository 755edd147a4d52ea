// How long the host's event loop has to wait while tenants compute, and while they call the host all the time.
import assert from 'node:assert/strict';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const TENANTS = 8;
const BUSY_MS = 1000;
const CALLBACK_MS = 0.02;

/** A host function that has a little to do. */
function work() {
  for (const end = performance.now() + CALLBACK_MS; performance.now() < end; );
  return true;
}

const loopDelayWhile = (name, what, program, without) => ({
  name,
  about: `delay of the host's event loop, 99th percentile, while ${TENANTS} tenants ${what} for a second`,
  units: ['ms'],
  without,
  async start(subject) {
    const tenants = await Promise.all(Array.from({ length: TENANTS }, () => subject.open(program)));
    return async () => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      // The first tick and the last are to be outside; a loop that is blocked has no others.
      await sleep(10);
      const event = { until: Date.now() + BUSY_MS };
      const results = await Promise.all(tenants.map((tenant) => tenant.call(event)));
      await sleep(10);
      delay.disable();
      for (const result of results) assert.equal(result, 'done', 'a wrong result');
      return { ms: delay.percentile(99) / 1e6 };
    };
  },
});

export const loopDelays = [
  loopDelayWhile(
    'loop-delay',
    'compute',
    { source: `function handler({ until }) { while (Date.now() < until); return 'done'; }` },
    ['floor'],
  ),
  loopDelayWhile(
    'loop-delay-calls',
    `call a function of ${CALLBACK_MS * 1000} µs`,
    {
      source: `function handler({ until }) { while (Date.now() < until) host.work(); return 'done'; }`,
      host: { work },
      sync: true,
    },
    ['floor', 'fork'],
  ),
];
