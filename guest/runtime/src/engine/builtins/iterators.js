// The engine calls `next` of an iterator that it has made itself without a look at the stack. Those of Iterator's methods have
// another iterator as their source: a long chain of them would use up the stack. A function in JavaScript at each link makes
// the engine look.

const { apply } = Reflect;

for (const iterator of [[].values().map((value) => value), Iterator.from({ next() {} })]) {
  const prototype = Object.getPrototypeOf(iterator);
  const engine = prototype.next;
  const { next } = {
    next() {
      return apply(engine, this, []);
    },
  };
  Object.defineProperty(prototype, 'next', { value: next, configurable: true, enumerable: false, writable: true });
}
