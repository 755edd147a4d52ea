import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkSmoke } from './sandbox';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'node-versions.mjs');

test('the smoke check passes on every Node.js that is supported', async (t) => {
  const { VERSIONS, UNAVAILABLE, isThere, advice, programOf } = await import(SCRIPT);
  for (const version of VERSIONS) {
    await t.test(`the smoke check passes on Node.js ${version}`, { skip: UNAVAILABLE }, async () => {
      assert.ok(isThere(version), advice(version));
      await checkSmoke(programOf(version), `${version}.`);
    });
  }
});
