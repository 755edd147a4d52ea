// Global objects that Node.js has and the web has not. Their modules are evaluated when they are first asked for.

import { importNow } from 'hyperlight:native';

const { defineProperty } = Object;

for (const [name, module, member] of [
  ['Buffer', 'hyperlight:node/buffer', 'Buffer'],
  ['process', 'hyperlight:node/process', 'default'],
]) {
  let value;
  defineProperty(globalThis, name, {
    get() {
      value ??= importNow(module)[member];
      return value;
    },
    set(replacement) {
      defineProperty(globalThis, name, { value: replacement, configurable: true, enumerable: false, writable: true });
    },
    configurable: true,
    enumerable: false,
  });
}
