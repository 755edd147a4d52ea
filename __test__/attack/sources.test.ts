// Sources are compiled and evaluated inside the sandbox that they are for: whatever is in one, loading it ends, the sandbox
// that it is for stays usable, and another has nothing of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadBody, start } from '../sandbox';
import { assertPlainError, watchHost } from './host';

const HANDLER = 'function handler() { return 1; }';
const assertHostUnchanged = watchHost();

const refused: Record<string, string> = {
  'a nest of brackets': `${'('.repeat(2e5)}1${')'.repeat(2e5)}; ${HANDLER}`,
  'a nest of blocks': `${'{'.repeat(2e5)}${'}'.repeat(2e5)}; ${HANDLER}`,
  'a nest of functions': `${'(() => '.repeat(1e5)}1${')'.repeat(1e5)}; ${HANDLER}`,
  'a nest of templates': `${'`${'.repeat(1e5)}1${'}`'.repeat(1e5)}; ${HANDLER}`,
  'a nest of classes': `${'class A { a = '.repeat(5e4)}1${'}'.repeat(5e4)}; ${HANDLER}`,
  'operators without an operand': `${'!'.repeat(9e5)}`,
  'a string without an end': `const text = "${'x'.repeat(9e5)}`,
  'a template without an end': '`${'.repeat(3e5),
  'a comment without an end': `/* ${HANDLER}`,
  'a pattern that is none': `const pattern = /${'('.repeat(1e5)}/; ${HANDLER}`,
  'the null character': `\0${HANDLER}`,
  'half a pair of surrogates': `\ud800 ${HANDLER}`,
  'an escape in a keyword': `f\\u0075nction handler() {} \\u{110000}`,
  'an assignment to what is imported': `import * as url from 'url'; url.URL = 1; ${HANDLER}`,
  'an exception that shows nothing': `${HANDLER} throw { get message() { throw this; }, toString() { throw this; } };`,
  'an exception of megabytes': `${HANDLER} throw new Error('x'.repeat(4e6));`,
  'a promise that nobody settles': `${HANDLER} await new Promise(() => {});`,
  'endless recursion': `const deeper = () => deeper() + 1; deeper(); ${HANDLER}`,
  'more memory than there is': `${HANDLER} for (const all = []; ; ) all.push(new Array(1000).fill(0));`,
  'no handler': 'export {};',
  'another handler': 'let handler = 1;',
  'a handler that is asked for and thrown': `export const handler = new Proxy({}, { get() { throw 1; } });`,
};

const endless: Record<string, string> = {
  'a loop': `${HANDLER} for (;;);`,
  'a loop in what is imported': `import 'user:endless'; ${HANDLER}`,
  'microtasks one after the other': `${HANDLER} const again = () => { queueMicrotask(again); }; again(); await new Promise(() => {});`,
  'a message of its exception': `${HANDLER} throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });`,
};

test('a hostile source is refused, and nobody else has anything of it', async () => {
  const other = await loadBody('globalThis.n ??= 0; return [++n, typeof {}.polluted];');
  const sandbox = await start();
  sandbox.addHandler('good', HANDLER);
  sandbox.addModule('endless', 'for (;;);');
  const sources = [
    ...Object.entries(refused).map((source) => [...source, 'ERR_COMPILE', 60_000] as const),
    ...Object.entries(endless).map((source) => [...source, 'ERR_CANCELLED', 200] as const),
  ];
  for (const [i, [name, source, code, wallClockTimeoutMs]] of sources.entries()) {
    try {
      sandbox.addHandler('hostile', `Object.prototype.polluted = 1; ${source}`);
      const [outcome] = await Promise.allSettled([sandbox.getLoadedSandbox({ wallClockTimeoutMs })]);
      assert.ok(outcome.status === 'rejected', 'it is loaded');
      assertPlainError(outcome.reason, code);
      assert.equal(sandbox.status, 'ready');
      sandbox.removeHandler('hostile');
      assert.deepEqual(await other.callHandler('f', {}), [i + 1, 'undefined']);
      assertHostUnchanged();
    } catch (error) {
      throw new Error(name, { cause: error });
    }
  }
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('good', {}), 1);
});
