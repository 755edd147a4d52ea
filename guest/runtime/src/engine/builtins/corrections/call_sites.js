// Call sites, which `Error.prepareStackTrace` is given, hand out the functions that run: those of the built-in modules too, which
// could then be called with what they are never given. V8 gives no function of strict code, and modules are strict.

let prototype;
Error.prepareStackTrace = (_, [site]) => {
  prototype = Object.getPrototypeOf(site);
};
new Error().stack;
Error.prepareStackTrace = undefined;

const { getFunction } = {
  getFunction() {
    return undefined;
  },
};
Object.defineProperty(prototype, 'getFunction', {
  value: getFunction,
  configurable: true,
  enumerable: false,
  writable: true,
});
