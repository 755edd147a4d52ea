// The module and the global `process`: what programs ask of it that have no process.

import { environment as env, nextTick as putOff } from 'hyperlight:native';
import { checkFunction } from 'hyperlight:node/errors';

export { env };

/** The Node.js whose modules these are like. There are no `versions`: by them programs tell that they run in Node.js. */
export const version = 'v20.20.0';

/** Calls a function when the code that runs now is done, before all promises that are settled. */
export function nextTick(callback, ...values) {
  checkFunction(callback, 'callback');
  putOff(callback, values);
}

const process = { env, nextTick, version };
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
export default process;
