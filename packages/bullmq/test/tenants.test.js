import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tenants } from '../lib/tenants.js';

test('a tenant has as many places as it may, and others have theirs', () => {
  const tenants = new Tenants(2);
  assert.deepEqual(
    ['a', 'a', 'a', 'b'].map((tenant) => tenants.enter(tenant)),
    [true, true, false, true],
  );
  tenants.leave('a');
  assert.equal(tenants.enter('a'), true);
});

test('the more jobs of a tenant are turned away, the later they are looked at again, up to a limit', () => {
  const tenants = new Tenants(1);
  const delays = Array.from({ length: 100 }, () => tenants.turnAway('loud'));
  assert.deepEqual(delays.slice(0, 3), [50, 100, 150]);
  assert.equal(Math.max(...delays), 2000);
  assert.equal(delays.at(-1), 2000);
  assert.equal(tenants.turnAway('quiet'), 50);
});
