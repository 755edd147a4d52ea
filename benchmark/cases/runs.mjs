// Programs that nobody has seen before, each run once, in clean state, with functions of its own.
import { timed } from './timed.mjs';

const program = {
  source: `
    async function handler({ order, items }) {
      const discount = await host.discount(order);
      const lines = [];
      let total = 0;
      for (const { name, price, quantity } of items) {
        const cost = price * quantity * (1 - discount);
        if (cost < 1) continue;
        lines.push(name.padEnd(12) + cost.toFixed(2));
        total += cost;
      }
      const names = items.map(({ name }) => name.toUpperCase()).sort();
      const stock = new Map(items.map(({ name, quantity }) => [name, quantity]));
      const shipping = await host.shipping(total);
      return {
        text: lines.join('\\n'),
        names: names.join(),
        most: Math.max(...stock.values()),
        total: Math.round(total + shipping),
      };
    }
  `,
  host: {
    discount: async (order) => (order > 1000 ? 0.1 : 0),
    shipping: async (total) => (total > 100 ? 0 : 5),
  },
  isAsync: true,
};
const event = {
  order: 1234,
  items: [
    { name: 'apples', price: 0.5, quantity: 12 },
    { name: 'a book', price: 19.9, quantity: 1 },
    { name: 'string', price: 0.1, quantity: 3 },
  ],
};
const about = 'a program of 20 lines with two calls of the host, run once in clean state';

export const runs = [
  timed({ name: 'run', about, program, event, how: 'run' }),
  timed({
    name: 'run-rested',
    about: 'the same when the pool has had time to renew its sandboxes',
    program,
    event,
    how: 'run',
    rested: true,
  }),
  timed({
    name: 'run-first',
    about: 'the same as the first thing in a process',
    program,
    event,
    how: 'run',
    oneSample: true,
  }),
];
