// Programs that compute for a while: what the engine makes of them.
import { timed } from './timed.mjs';

const compute = (name, about, event, source) =>
  timed({ name: `compute-${name}`, about, program: { source, heap: 128 << 20 }, event });

export const computations = [
  compute(
    'fib',
    'calls of functions: the 27th Fibonacci number',
    { n: 27 },
    `
      const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
      function handler({ n }) { return fibonacci(n); }
    `,
  ),
  compute(
    'json',
    'JSON of 2,000 objects to text and back',
    { objects: 2000, times: 10 },
    `
      function handler({ objects, times }) {
        let list = Array.from({ length: objects }, (_, id) => ({ id, name: 'item ' + id, sizes: [id, id / 2, -id], deep: { yes: true } }));
        let length = 0;
        for (let i = 0; i < times; i++) {
          const text = JSON.stringify(list);
          length += text.length;
          list = JSON.parse(text);
        }
        return { length, last: list.at(-1) };
      }
    `,
  ),
  compute(
    'string',
    'building, splitting and reading text',
    { words: 40_000 },
    `
      function handler({ words }) {
        let text = '';
        for (let i = 0; i < words; i++) text += (i * 2654435761 % 4294967296).toString(36) + ' ';
        const upper = text.split(' ').map((word) => word.slice(1).toUpperCase()).join('-');
        let hash = 0;
        for (let i = 0; i < upper.length; i++) hash = (Math.imul(hash, 31) + upper.charCodeAt(i)) >>> 0;
        return { length: upper.length, hash, found: upper.indexOf('ZZ') };
      }
    `,
  ),
  compute(
    'map',
    'maps, sets and sorting',
    { entries: 30_000 },
    `
      function handler({ entries }) {
        const map = new Map();
        for (let i = 0; i < entries; i++) {
          const key = 'key ' + (i * 7919) % (entries / 2);
          map.set(key, (map.get(key) ?? 0) + i);
        }
        const odd = new Set([...map.values()].filter((value) => value % 2 === 1));
        const sorted = [...map].sort(([, a], [, b]) => b - a);
        return { size: map.size, odd: odd.size, first: sorted[0], last: sorted.at(-1) };
      }
    `,
  ),
  compute(
    'regexp',
    'regular expressions over a log of 10,000 lines',
    { lines: 10_000 },
    `
      function handler({ lines }) {
        let text = '';
        for (let i = 0; i < lines; i++) {
          text += '2024-03-' + (i % 28 + 1) + ' [' + (i % 5 ? 'info' : 'error') + '] user' + i + '@example.com took ' + i * 3 + ' ms\\n';
        }
        let total = 0;
        for (const { groups } of text.matchAll(/\\[error\\] (?<user>[\\w.]+)@[\\w.]+ took (?<time>\\d+) ms/g)) total += Number(groups.time);
        const days = new Set(text.match(/^\\d{4}-\\d{2}-\\d{1,2}/gm)).size;
        const hidden = text.replace(/(\\w+)@(\\w+)\\.com/g, '$2:***');
        return { total, days, length: hidden.length };
      }
    `,
  ),
];
