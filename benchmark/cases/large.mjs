// Programs that take much memory, or are large themselves: what it costs that memory is touched for the first time.
import { timed } from './timed.mjs';

const objects = {
  program: {
    source: `
      function handler({ objects }) {
        const all = [];
        for (let i = 0; i < objects; i++) all.push({ i, name: 'object ' + i });
        return { length: all.length, last: all.at(-1) };
      }
    `,
    heap: 128 << 20,
  },
  event: { objects: 100_000 },
};

/** Functions that differ, as in a bundle, of about so many bytes. */
function large(bytes) {
  const functions = [];
  for (let length = 0, i = 0; length < bytes; i++) {
    functions.push(
      `function f${i}(a, b = { n: ${i} }) { const list = [a, b.n, 'text ${i}']; for (const one of list) if (one === ${i}) return list.map(String).join(); return b.n * ${i}; }`,
    );
    length += functions.at(-1).length;
  }
  return `${functions.join('\n')}\nfunction handler({ n }) { return f${functions.length - 1}(n, { n }); }`;
}

export const largePrograms = [
  timed({ name: 'grow', about: '100,000 objects made in clean state', ...objects, how: 'fresh' }),
  timed({ name: 'grow-warm', about: 'the same again in the same state', ...objects }),
  timed({
    name: 'load-800k',
    about: 'from nothing to the first result of a program of 800 KB',
    program: { source: large(800_000), heap: 128 << 20, buffers: 4 << 20 },
    event: { n: 1 },
    how: 'cold',
    without: ['floor', 'v8'],
  }),
];
