// Handlers that call the host, and wait for it.
import { timed } from './timed.mjs';
import { waiting } from './waiting.mjs';

export const hostCalls = [
  timed({
    name: 'host-call',
    about: '1,000 synchronous calls of the host in one call',
    program: {
      source: `
        function handler() {
          let sum = 0;
          for (let i = 0; i < 1000; i++) sum = host.add(sum, i);
          return sum;
        }
      `,
      host: { add: (a, b) => a + b },
      sync: true,
    },
    event: {},
    // A process cannot wait for an answer from another without its event loop.
    without: ['floor', 'fork'],
  }),
  timed({
    name: 'host-call-async',
    about: '100 calls of an asynchronous host function in one call, one after the other',
    program: {
      source: `
        async function handler() {
          let sum = 0;
          for (let i = 0; i < 100; i++) sum = await host.add(sum, i);
          return sum;
        }
      `,
      host: { add: (a, b) => new Promise((resolve) => setImmediate(resolve, a + b)) },
      isAsync: true,
    },
    event: {},
  }),
  timed({
    name: 'async-100',
    about: '100 calls of an asynchronous host function in one call, all at once',
    program: {
      source: `
        async function handler() {
          const sums = await Promise.all(Array.from({ length: 100 }, (_, i) => host.add(i, 1)));
          return sums.reduce((sum, one) => sum + one);
        }
      `,
      host: { add: (a, b) => new Promise((resolve) => setImmediate(resolve, a + b)) },
      isAsync: true,
      atOnce: true,
    },
    event: {},
  }),
  waiting,
];
