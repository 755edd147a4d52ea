// What is known of an error on the other side: one mapping for guest code and for host functions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { GuestThrown as GuestError } from '@hyperlight/js-host-api';
import { load, loadBody, loadWithHost, rejection, start } from './sandbox';

/** What was thrown, as one side tells it. */
interface Told {
  name: string;
  message: string;
  properties: Record<string, unknown>;
  cause?: Told;
  errors?: Told[];
}

function toldOfGuest(error: GuestError): Told {
  assert.ok(error instanceof Error);
  assert.equal(error.code, 'ERR_GUEST_ERROR');
  const told: Told = { name: error.guestName, message: error.guestMessage, properties: error.guestProperties };
  if (error.cause) told.cause = toldOfGuest(error.cause);
  if (error.errors) told.errors = error.errors.map(toldOfGuest);
  return told;
}

/** The same of a `HostFunctionError`, in the guest. */
const TOLD_OF_HOST = `
  const told = (error) => {
    if (!(error instanceof HostFunctionError)) throw new TypeError('not a HostFunctionError: ' + error);
    const { hostName: name, message, cause, errors } = error;
    return {
      name, message, properties: Object.fromEntries(Object.entries(error)),
      ...(cause && { cause: told(cause) }), ...(errors && { errors: errors.map(told) }),
    };
  };
`;

const SHORT = 'x'.repeat(16_384);

const CASES: [source: string, told: Told][] = [
  ["new TypeError('no')", { name: 'TypeError', message: 'no', properties: {} }],
  [
    "Object.assign(new Error('gone'), { code: 'ENOENT', errno: -2, more: { a: [null] }, skip: () => 1 })",
    { name: 'Error', message: 'gone', properties: { code: 'ENOENT', errno: -2, more: { a: [null] } } },
  ],
  [
    "new (class Failure extends Error { name = 'Failure'; get code() { return 7; } })('inherited')",
    { name: 'Failure', message: 'inherited', properties: { code: 7 } },
  ],
  [
    `(() => { function Old(m) { this.message = m; } Old.prototype = Object.create(Error.prototype); Old.prototype.name = 'Old';
       return new Old('of before'); })()`,
    { name: 'Old', message: 'of before', properties: {} },
  ],
  [
    "new DOMException('no base64', 'InvalidCharacterError')",
    { name: 'InvalidCharacterError', message: 'no base64', properties: { code: 5 } },
  ],
  [
    "new Error('outer', { cause: new RangeError('inner', { cause: { status: 404 } }) })",
    {
      name: 'Error',
      message: 'outer',
      properties: {},
      cause: {
        name: 'RangeError',
        message: 'inner',
        properties: {},
        cause: { name: '', message: '{"status":404}', properties: { status: 404 } },
      },
    },
  ],
  [
    "new AggregateError([new Error('one'), 'two', null], 'several')",
    {
      name: 'AggregateError',
      message: 'several',
      properties: {},
      errors: [
        { name: 'Error', message: 'one', properties: {} },
        { name: '', message: 'two', properties: {} },
        { name: '', message: 'null', properties: {} },
      ],
    },
  ],
  [
    "(() => { const e = new Error('self'); e.cause = e; return e; })()",
    { name: 'Error', message: 'self', properties: {} },
  ],
  [
    "Object.defineProperty(new Error('m'), 'a', { enumerable: true, get() { throw 1; } })",
    { name: 'Error', message: 'm', properties: {} },
  ],
  [
    "Object.assign(new Error('m'), { cycle: (() => { const c = {}; c.c = c; return c; })(), big: 1n, long: 'x'.repeat(20000), last: true })",
    { name: 'Error', message: 'm', properties: { last: true } },
  ],
  [
    "Object.assign(new Error('m'), JSON.parse('{\"__proto__\": 1}'), { ['a\\ud800']: 1 })",
    { name: 'Error', message: 'm', properties: JSON.parse('{"a\\ud800": 1}') },
  ],
  ["new Error('x'.repeat(20000))", { name: 'Error', message: SHORT, properties: {} }],
  [
    "({ status: 404, reason: 'none' })",
    { name: '', message: '{"status":404,"reason":"none"}', properties: { status: 404, reason: 'none' } },
  ],
  ["({ name: 'Like', message: 'an error' })", { name: 'Like', message: 'an error', properties: {} }],
  ["({ toString() { return 'mine'; } })", { name: '', message: 'mine', properties: {} }],
  ["['a', 1]", { name: '', message: '["a",1]', properties: {} }],
  ["Symbol('s')", { name: '', message: 'Symbol(s)', properties: {} }],
  ['null', { name: '', message: 'null', properties: {} }],
  ['undefined', { name: '', message: 'undefined', properties: {} }],
  ['1n', { name: '', message: '1', properties: {} }],
  ["'text'", { name: '', message: 'text', properties: {} }],
];

test('what guest code throws and what a host function throws are told the same way', async () => {
  const guest = await loadBody('throw new Function("return " + event)();');
  const host = await loadWithHost(
    {
      fail: (source: string) => {
        throw new Function(`return ${source}`)();
      },
      reject: (source: string) => Promise.reject(new Function(`return ${source}`)()),
    },
    `${TOLD_OF_HOST}
     return ['fail', 'reject'].map((name) => { try { host[name](event); } catch (error) { return told(error); } });`,
  );
  for (const [source, expected] of CASES) {
    const error = await rejection('ERR_GUEST_ERROR', guest.callHandler('f', source));
    assert.deepEqual(toldOfGuest(error as unknown as GuestError), expected, source);
    const told = await host.callHandler('f', source);
    assert.deepEqual(told, [expected, expected], source);
  }
});

test('an error that comes through two sandboxes keeps what is known of it', async () => {
  const inner = await loadBody(
    "throw Object.assign(new Error('deep', { cause: new TypeError('why') }), { code: 'E_DEEP' });",
  );
  const outer = await loadWithHost({ call: () => inner.callHandler('f', {}) }, 'host.call();');
  const error = (await rejection('ERR_GUEST_ERROR', outer.callHandler('f', {}))) as unknown as GuestError;
  assert.equal(error.guestName, 'HostFunctionError');
  assert.equal(error.guestCode, 'ERR_GUEST_ERROR');
  assert.equal(error.guestProperties.guestCode, 'E_DEEP');
  assert.equal(error.cause?.guestMessage, 'TypeError: why');
});

test("an error's stack has the guest's frames and then those of the call", async () => {
  const loaded = await load({
    failing: `
      function check() { throw new TypeError('no'); }
      function handler() { check(); }`,
    hostile: `
      function handler() {
        const error = new Error('one line\\n    at not (a frame)');
        error.stack = 'Error: something else\\n    at made (up:1:1)\\n    no frame';
        throw error;
      }`,
    aborted: 'function handler() { for (;;); }',
  });
  async function theCaller(name: string, options = {}) {
    await loaded.callHandler(name, {}, options);
  }
  const frames = (error: Error) => (error.stack ?? '').split('\n').map((line) => line.trim());
  const error = await rejection('ERR_GUEST_ERROR', theCaller('failing'));
  const [header, ...rest] = frames(error);
  assert.equal(header, 'Error: TypeError: no');
  assert.match(rest[0] ?? '', /^at check \(failing:2:\d+\)$/);
  assert.match(rest[1] ?? '', /^at handler \(failing:3:\d+\)$/);
  assert.match(rest[2] ?? '', /^at .*theCaller .*thrown\.test/);
  assert.match(inspect(error), /at check \(failing:2:\d+\)\n.*failing.*\n.*theCaller/);

  const made = frames(await rejection('ERR_GUEST_ERROR', theCaller('hostile')));
  assert.deepEqual(made.slice(0, 3), ['Error: Error: one line', 'at not (a frame)', 'at made (up:1:1)']);
  assert.match(made[3] ?? '', /theCaller/);

  const stopped = frames(await rejection('ERR_CANCELLED', theCaller('aborted', { wallClockTimeoutMs: 50 })));
  assert.match(stopped[1] ?? '', /theCaller/);
});

test('causes have the stack of the guest', async () => {
  const loaded = await loadBody("\nthrow new Error('outer', { cause: new Error('inner') });");
  const error = (await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', {}))) as unknown as GuestError;
  assert.match(error.cause?.guestStack ?? '', /handler \(f:2:/);
  assert.match(error.cause?.stack ?? '', /^Error: Error: inner\n {4}at handler \(f:2:/);
  assert.ok(!Object.keys(error).includes('cause'));
  assert.match(inspect(error), /\[cause\]: Error: Error: inner/);
});

test('what a module throws when it is evaluated is told as well', async () => {
  const sandbox = await start();
  sandbox.addHandler('f', "function handler() {}\nthrow Object.assign(new Error('m', { cause: 'c' }), { code: 'E' });");
  const error = (await rejection('ERR_COMPILE', sandbox.getLoadedSandbox())) as unknown as GuestError;
  assert.deepEqual([error.guestCode, error.cause?.guestMessage], ['E', 'c']);
  assert.match(error.stack ?? '', /^Error: f:2:\d+: Error: m\n {4}at .*f:2:\d+\)?\n.*thrown\.test/);
});

test('no stack of the host reaches the guest', async () => {
  const loaded = await loadWithHost(
    {
      fail: () => {
        throw new Error('no', { cause: new Error('why') });
      },
    },
    'try { host.fail(); } catch (error) { return [error.stack, error.cause.stack, JSON.stringify(error)]; }',
  );
  const told = await loaded.callHandler('f', {});
  assert.ok(!JSON.stringify(told).includes('thrown.test'), `${told}`);
  assert.match(told[0], /handler \(f:/);
});

test('a program that makes something else of stacks gets its errors nevertheless', async () => {
  const { prepareStackTrace } = Error;
  const loaded = await loadBody("throw new Error('no');");
  try {
    for (const prepare of [() => 5, () => assert.fail('from prepareStackTrace')]) {
      Error.prepareStackTrace = prepare;
      const error = await loaded.callHandler('f', {}).catch((reason: Error & { code?: string }) => reason);
      assert.equal(error.code, 'ERR_GUEST_ERROR');
      assert.match(error.stack, /^Error: Error: no\n {4}at handler \(f:/);
    }
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
});
