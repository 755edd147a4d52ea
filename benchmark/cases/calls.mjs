// Calls that compute next to nothing: what a sandbox itself costs.
import { runs } from './runs.mjs';
import { timed } from './timed.mjs';

// The count shows whether state is clean.
const program = {
  source: `
    let count = 0;
    function handler(event) { return { message: 'Hello, ' + event.name + '!', count: event.clean ? ++count : 1 }; }
  `,
};
// One that uses a little of much that the language has.
const order = {
  source: `
    let count = 0;
    function handler({ lines }) {
      count += 1;
      const texts = [];
      let total = 0;
      for (const { name, price, quantity = 1 } of lines) {
        const cost = price * quantity * 1.1;
        if (cost < 1) continue;
        texts.push(name.trim().padEnd(12) + cost.toFixed(2));
        total += cost;
      }
      const stock = new Map(lines.map(({ name, quantity = 1 }) => [name.toUpperCase(), quantity]));
      const names = [...stock.keys()].sort((a, b) => (a < b ? -1 : 1));
      return {
        count,
        text: texts.join('\\n'),
        names: names.join(),
        most: Math.max(...stock.values()),
        total: Math.round(total),
      };
    }
  `,
};
const lines = [
  { name: 'pears ', price: 0.5, quantity: 12 },
  { name: 'a book', price: 19.9 },
  { name: ' string', price: 0.1, quantity: 3 },
];
const clean = { name: 'World', clean: true };
const warm = { name: 'World', clean: false };

const inFlight = (count) =>
  timed({
    name: `warm-${count}`,
    about: `a small call, for each of those that ${count} tenants do side by side`,
    program,
    event: warm,
    inFlight: count,
    each: 10,
  });

export const calls = [
  timed({
    name: 'cold',
    about: 'from nothing to the first result, in a process that has done so before',
    program,
    event: clean,
    how: 'cold',
    // It has no more to start than for `fresh`.
    without: ['floor', 'v8'],
  }),
  timed({
    name: 'cold-stock',
    about: 'the same with sandboxes in stock (`prewarm({ sandboxes })`)',
    program,
    event: clean,
    how: 'cold',
    stocked: true,
    without: ['floor', 'v8'],
  }),
  timed({ name: 'fresh', about: 'a small call in clean state', program, event: clean, how: 'fresh' }),
  timed({
    name: 'fresh-20',
    about: 'a call in clean state of a handler of 20 lines that uses a little of much',
    program: order,
    event: { lines },
    how: 'fresh',
  }),
  timed({ name: 'pool', about: 'the same through a pool', program, event: clean, how: 'pool' }),
  timed({
    name: 'pool-rested',
    about: 'the same when the pool has had time to renew its sandboxes',
    program,
    event: clean,
    how: 'pool',
    rested: true,
  }),
  timed({
    name: 'pool-4',
    about: 'the same with 4 requests in flight, for each',
    program,
    event: clean,
    how: 'pool',
    inFlight: 4,
    each: 5,
  }),
  ...runs,
  timed({ name: 'warm', about: 'a small call', program, event: warm, without: [] }),
  timed({
    name: 'warm-no-gc',
    about: 'the same without collecting garbage after it (`gc: false`)',
    program: { ...program, gc: false },
    event: warm,
  }),
  inFlight(2),
  inFlight(8),
  inFlight(32),
];
