// Modules of Node.js that guest code can import, with and without `node:`.
module.exports = ['crypto', 'url'];
