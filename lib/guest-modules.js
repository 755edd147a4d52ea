// Modules of Node.js that guest code can import, with and without `node:`.
module.exports = [
  'assert',
  'assert/strict',
  'buffer',
  'console',
  'crypto',
  'events',
  'path',
  'path/posix',
  'process',
  'querystring',
  'string_decoder',
  'timers',
  'timers/promises',
  'url',
  'util',
  'util/types',
];
