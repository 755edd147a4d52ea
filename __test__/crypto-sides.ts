// Code that runs in the guest and in Node.js alike, for tests that compare the two or have one read what the other has written.
import { webcrypto } from 'node:crypto';
import type { LoadedJSSandbox } from '@hyperlight/js-host-api';
import { load } from './sandbox';

/** Runs the body of an asynchronous function, with the members of an object in scope, and `subtle`. */
export type Side = (code: string, given?: Record<string, unknown>) => Promise<unknown>;

export const PRELUDE = `
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const utf8 = (text) => new TextEncoder().encode(text);
  const same = (a, b) => hex(a) === hex(b);
  // Node.js has a name of its own for it.
  const failed = (promise) => promise.then(() => 'nothing', ({ name }) => name.replace('AccessException', 'AccessError'));
`;

export const inNode: Side = (code, given = {}) => {
  const AsyncFunction = (async () => {}).constructor as new (
    ...given: string[]
  ) => (...given: unknown[]) => Promise<unknown>;
  const run = new AsyncFunction('subtle', ...Object.keys(given), PRELUDE + code);
  return run(webcrypto.subtle, ...Object.values(given));
};

/** A guest, as a side. */
export async function guestSide(): Promise<{ guest: LoadedJSSandbox; inGuest: Side }> {
  const guest = await load({
    f: `export default async function handler({ code, names, values }) {
      const AsyncFunction = (async () => {}).constructor;
      return new AsyncFunction('subtle', ...names, code)(crypto.subtle, ...values);
    }`,
  });
  const inGuest: Side = (code, given = {}) => {
    const event = { code: PRELUDE + code, names: Object.keys(given), values: Object.values(given) };
    return guest.callHandler('f', event);
  };
  return { guest, inGuest };
}
