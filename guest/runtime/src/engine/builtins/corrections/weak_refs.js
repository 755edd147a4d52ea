// WeakRef keeps its target until the job that made it, or that asked for the target, is done. The engine's own lets go of it at
// once, even between a check and the use.

const { apply, construct } = Reflect;
const { defineProperty } = Object;
const { add } = Set.prototype;
const { queueMicrotask, WeakRef: Engine } = globalThis;
const { prototype } = Engine;
const { deref: engineDeref } = prototype;

let kept;

function keep(target) {
  if (!kept) {
    kept = new Set();
    queueMicrotask(() => {
      kept = undefined;
    });
  }
  apply(add, kept, [target]);
}

const { WeakRef: Keeping, deref } = {
  WeakRef: function (target) {
    if (!new.target) throw new TypeError('WeakRef is to be called with new');
    const made = construct(Engine, [target], new.target);
    keep(target);
    return made;
  },
  deref() {
    const target = apply(engineDeref, this, []);
    if (target !== undefined) keep(target);
    return target;
  },
};

defineProperty(Keeping, 'prototype', { value: prototype, writable: false });
for (const [object, name, value] of [
  [prototype, 'constructor', Keeping],
  [prototype, 'deref', deref],
  [globalThis, 'WeakRef', Keeping],
]) {
  defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
}
