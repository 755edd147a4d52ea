import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('the smoke check passes on this Node.js', async () => {
  const smoke = join(__dirname, '..', '..', '__test__', 'smoke.mjs');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [smoke], { timeout: 30_000 });
  assert.equal(stdout, `Node.js ${process.versions.node}: everything works\n`);
  assert.equal(stderr, '');
});
