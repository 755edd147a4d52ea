// The package's entry: the addon or, where that cannot be loaded, what stands in for it.
try {
  // Node.js reads from this line which names `import` can have.
  module.exports = require('../index.js');
} catch (error) {
  Object.assign(exports, require('./stand-in.js').standIn(error));
}
