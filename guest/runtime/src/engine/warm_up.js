// The handler of a warm-up: a little of much that handlers do.
//
// It runs none of the guest's code, whatever that has done to built-in objects: those that it uses are taken before any other
// code runs, and it looks for nothing in a prototype.
(() => {
  const { apply } = Reflect;
  const { setPrototypeOf } = Object;
  const { filter, map, reduce } = Array.prototype;
  const { toUpperCase } = String.prototype;

  class Item {
    constructor({ name, price }) {
      this.name = apply(toUpperCase, name, []);
      this.cost = price * 1.5;
    }
  }
  setPrototypeOf(Item.prototype, null);

  const later = async (value) => value;

  return ({ text, list }) => {
    setPrototypeOf(list, null);
    const items = setPrototypeOf(apply(map, list, [(item) => new Item(item)]), null);
    const some = setPrototypeOf(apply(filter, items, [({ cost }) => cost > 1]), null);
    const total = apply(reduce, items, [(sum, { cost }) => sum + cost, 0]);
    later(total);
    let message = 'Hello, ';
    message += text;
    message += `: ${items.length}!`;
    return { __proto__: null, message, some, total };
  };
})();
