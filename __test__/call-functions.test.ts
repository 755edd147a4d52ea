// Host functions of one call of a handler.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallHandlerOptions, SandboxPool, sync } from '@hyperlight/js-host-api';
import { load, loadWithHost, rejection } from './sandbox';

const source = `async function handler(event) {
  const imported = await import('host:db').then(({ find }) => find, () => undefined);
  return [typeof db, await globalThis.db?.find(event), await imported?.(event)];
}`;

test('a call of a loaded sandbox has its functions as globals and imports, and they go with it', async () => {
  const sandbox = await load({ f: source });
  for (const name of ['a', 'b']) {
    const functions = { db: { find: async (id: number) => `${name} ${id}` } };
    const expected = ['object', `${name} 7`, `${name} 7`];
    assert.deepEqual(await sandbox.callHandler('f', 7, { functions }), expected);
    const { value } = await sandbox.callHandlerWithStats('f', 7, { functions });
    assert.deepEqual(value, expected);
    assert.deepEqual(await sandbox.callHandler('f', 7), ['undefined', null, null]);
  }
});

test('a call waits for the functions of a module that sync() has marked', async () => {
  const sandbox = await load({ f: 'function handler(event) { return math.double(event) + math.double(1) }' });
  const functions = { math: sync({ double: (n: number) => 2 * n }) };
  assert.equal(await sandbox.callHandler('f', 7, { functions }), 16);
});

test('a call cannot call the functions of another, whatever it has kept and whatever runs beside it', async () => {
  let calls = 0;
  const secret = async () => ++calls;
  const keeping = `let kept;
    async function handler(wait) {
      kept ??= db.secret;
      if (wait) await new Promise((resolve) => setTimeout(resolve, 50));
      return kept().catch((error) => error.message);
    }`;
  const sandbox = await load({ f: keeping });
  const snapshot = await sandbox.snapshot();
  assert.equal(await sandbox.callHandler('f', false, { functions: { db: { secret } } }), 1);
  const nothing = 'there is no such host function';
  assert.equal(await sandbox.callHandler('f', false), nothing);
  const others = { functions: { db: { open: async () => 1 }, other: { secret: async () => 1 } } };
  assert.equal(await sandbox.callHandler('f', false, others), nothing);

  const pool = new SandboxPool({ size: 2, snapshot });
  const theirs = pool.callHandler('f', true, { functions: { db: { secret } } });
  for (let i = 0; i < 5; i++) {
    const functions = { db: { secret: async () => `mine ${i}` } };
    assert.equal(await pool.callHandler('f', false, { functions }), `mine ${i}`);
    await rejection('ERR_GUEST_ERROR', pool.callHandler('f', false, { functions: { other: { secret } } }));
  }
  assert.equal(await theirs, 2);
  assert.equal(calls, 2);
  await pool.close();
});

test('a pool of a snapshot that has imported host functions is given them with each call', async () => {
  const sandbox = await loadWithHost({ name: () => 'nobody' }, 'return host.name()');
  const pool = new SandboxPool({ size: 2, snapshot: await sandbox.snapshot() });
  const names = ['a', 'b', 'c', 'd'];
  const call = (name: string) => pool.callHandler('f', null, { functions: { test: sync({ name: () => name }) } });
  assert.deepEqual(await Promise.all(names.map(call)), names);
  const error = await rejection('ERR_GUEST_ERROR', pool.callHandler('f', null));
  assert.equal(error.guestName, 'HostFunctionError');
  const asynchronous = { functions: { test: { name: async () => 'a' } } };
  const refused = await rejection('ERR_INVALID_ARG', pool.callHandler('f', null, asynchronous));
  assert.match(refused.message, /host:test name/);
  await pool.close();
});

test('bad functions are refused, the handler is not called, and the sandbox stays usable', async () => {
  const sandbox = await load({ f: 'let n = 0; function handler() { return ++n }' });
  const wrong: unknown[] = [
    1,
    null,
    { db: 1 },
    { db: { find: 1 } },
    { '': { find: async () => 1 } },
    { db: { '': async () => 1 } },
    { console: { log: async () => 1 } },
    { toString: { f: async () => 1 } },
    {
      get db() {
        throw new Error('a getter');
      },
    },
    {
      db: {
        get find() {
          throw new Error('a getter');
        },
      },
    },
  ];
  for (const functions of wrong) {
    await rejection('ERR_INVALID_ARG', sandbox.callHandler('f', null, { functions } as CallHandlerOptions));
  }
  class Tools {
    own = async () => 1;
    inherited() {}
  }
  const names = await load({ f: 'function handler() { return Object.keys(tools) }' });
  assert.deepEqual(await names.callHandler('f', null, { functions: { tools: new Tools() as never } }), ['own']);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${'x'.repeat(240)}${i}`, async () => 1]));
  await rejection('ERR_PAYLOAD_TOO_LARGE', sandbox.callHandler('f', null, { functions: { many } }));
  assert.equal(await sandbox.callHandler('f', null), 1);
});

test('a getter that disposes of the sandbox is heard of before the handler is called', async () => {
  const sandbox = await load({ f: 'function handler() { return 1 }' });
  const functions = {
    get db() {
      sandbox.dispose();
      return { find: async () => 1 };
    },
  };
  await rejection('ERR_CONSUMED', sandbox.callHandler('f', null, { functions }));
});
