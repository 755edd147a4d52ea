// The functions of the tests.
export const functions = {
  'double@1': { source: 'export default (n) => 2 * n;' },
  'fail@1': { source: `function handler(event) { throw new TypeError('no ' + event.of); }` },
  'loop@1': { source: 'function handler() { for (;;); }' },
  // The way to end a sandbox from inside that takes the least: its stack is used up where nothing can be caught.
  'wait@1': { source: 'const handler = (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));' },
  'context@1': { source: 'async function handler() { return job.context(); }' },
};
