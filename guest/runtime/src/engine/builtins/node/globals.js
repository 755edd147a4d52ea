// Global objects that Node.js has and the web has not.

import { Buffer } from 'hyperlight:node/buffer';
import process from 'hyperlight:node/process';

const { defineProperty } = Object;

for (const [name, value] of Object.entries({ Buffer, process })) {
  defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}
