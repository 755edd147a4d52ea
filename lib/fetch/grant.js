// The host functions behind a guest's `fetch`. guest/runtime has the other side of them, in builtins/fetch/fetch.js.
const { Call } = require('./call.js');
const { told } = require('./errors.js');
const { readPolicy } = require('./policy.js');

const FUNCTIONS = ['request', 'write', 'finish', 'read', 'cancel'];

/** What makes the functions that a policy allows: their names, each followed by the function. */
exports.grant = (hostCall) => (given) => {
  const policy = readPolicy(given);
  /** By the signals of the calls. */
  const calls = new WeakMap();
  const current = () => {
    const { signal } = hostCall();
    if (!calls.has(signal)) calls.set(signal, new Call(policy, signal));
    return calls.get(signal);
  };
  return FUNCTIONS.flatMap((name) => [
    name,
    async (...args) => {
      try {
        return await current()[name](...args);
      } catch (error) {
        throw told(error);
      }
    },
  ]);
};
