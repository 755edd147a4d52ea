// The engine calls `next` of an iterator that it has made itself without a look at the stack. Those of Iterator's methods have
// another iterator as their source: a long chain of them would use up the stack. A function in JavaScript between two of them
// makes the engine look; it is put in wherever a chain has grown by so many that they fit what is left of the stack at its limit.

const LINKS = 128; // each takes about 400 bytes

const { apply } = Reflect;
const { defineProperty, getPrototypeOf } = Object;
const { get, set } = WeakMap.prototype;

function replace(object, name, value) {
  defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
}

/** How many of the engine's iterators are in a row up to this one. */
const lengths = new WeakMap();

/** The same iterator, for the engine to call. */
function linked(iterator) {
  const { next } = iterator;
  return { next: () => apply(next, iterator, []), return: () => iterator.return() };
}

for (const name of ['chunks', 'drop', 'filter', 'flatMap', 'map', 'take', 'windows']) {
  const engine = Iterator.prototype[name];
  const { [name]: method } = {
    [name](...given) {
      const length = (apply(get, lengths, [this]) ?? 0) + 1;
      const made = apply(engine, length % LINKS === 0 ? linked(this) : this, given);
      apply(set, lengths, [made, length]);
      return made;
    },
  };
  replace(Iterator.prototype, name, defineProperty(method, 'length', { value: engine.length }));
}

// What Iterator.from() makes of iterators of others: it can be made to wrap itself.
const wrapper = getPrototypeOf(Iterator.from({ next() {} }));
const { next: engineNext } = wrapper;
const { next } = {
  next() {
    return apply(engineNext, this, []);
  },
};
replace(wrapper, 'next', next);
