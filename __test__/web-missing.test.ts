// What a guest has not got: docs/built-ins.md says so, and code that asks must find that it is not there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';

test('what a guest has not got is not there at all', async () => {
  const sandbox = await load({
    f: `function handler(names) {
      return names.filter((name) => name.split('.').reduce((object, part) => object?.[part], globalThis) !== undefined);
    }`,
  });
  const names = ['fetch', 'MessageChannel', 'WebSocket', 'Worker', 'FileReader', 'localStorage'];
  assert.deepEqual(await sandbox.callHandler('f', [...names, 'WebAssembly', 'document', 'window', 'location']), []);
});
