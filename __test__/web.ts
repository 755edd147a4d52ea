// What tests of the web's interfaces in the guest begin with. Each case is the body of an asynchronous function and has the
// result that the standard gives. Node.js must give it too, so that the table is no mere opinion, but for the cases that are
// marked: there Node.js is known to do otherwise, or not to have it in all versions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';

export interface Case {
  code: string;
  /** What it gives, as JSON has it. */
  result: unknown;
  /** Why Node.js, or an old one, gives something else. */
  notInNode?: string;
}

/** What both sides have in scope. */
const PRELUDE = `
  const thrown = (f) => { try { f(); return 'nothing'; } catch (e) { return e.name; } };
  const rejected = (promise) => promise.then(() => 'nothing', (e) => e.name);
  const collected = async (stream) => { const all = []; for await (const chunk of stream) all.push(chunk); return all; };
  const bytesOf = async (stream) => (await collected(stream)).flatMap((chunk) => [...chunk]);
  const streamOf = (...chunks) => new ReadableStream({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close(); } });
`;

/** Defines a test for each case. */
export function cases(table: Record<string, Case>): void {
  const AsyncFunction = (async () => {}).constructor as new (code: string) => () => Promise<unknown>;
  for (const [name, { code, result, notInNode }] of Object.entries(table)) {
    test(name, async () => {
      const body = `${PRELUDE}\n${code}`;
      const sandbox = await load({ f: `export default async function handler() { ${body} }` });
      assert.deepEqual(await sandbox.callHandler('f', {}), result);
      if (notInNode === undefined) {
        assert.deepEqual(JSON.parse(JSON.stringify(await new AsyncFunction(body)())), result, 'in Node.js');
      }
    });
  }
}
