// What is to be done when a test has ended, the last first: who uses something ends before it.
const stacks = new WeakMap();

export function atEnd(t, action) {
  const stack = stacks.get(t) ?? [];
  if (stack.length === 0) {
    stacks.set(t, stack);
    t.after(async () => {
      while (stack.length > 0) await stack.pop()();
    });
  }
  stack.push(action);
}
