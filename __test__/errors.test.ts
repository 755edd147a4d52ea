import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { load, loadBody, rejection, start, thrown } from './sandbox';

const MIB = 2 ** 20;

/** Every failure that this is called after must leave the sandbox as it was. */
async function assertUsable(loaded: LoadedJSSandbox) {
  assert.equal(loaded.poisoned, false);
  assert.equal(await loaded.callHandler('f', 'still here'), 'still here');
}

test('a syntax error gives file, line and column, and the sandbox keeps its handlers', async () => {
  const sandbox = await start();
  sandbox.addHandler('good', 'function handler(event) { return event; }');
  sandbox.addHandler('broken', '\nfunction handler(event) {\n    return event +;\n}');
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.equal(error.file, 'broken');
  assert.equal(error.line, 3);
  assert.ok(error.column !== undefined && error.column >= 1, `column ${error.column}`);
  assert.match(error.message, /^broken:3:\d+: SyntaxError: ./);
  assert.equal(typeof error.guestStack, 'string');

  // The broken handler is still there, and so is the good one.
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('broken', 'function handler() {}'));
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('good', 'function handler() {}'));
  await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
});

test('an import that does not resolve gives file, line and column', async () => {
  const sandbox = await start();
  sandbox.addHandler('importing', "// a comment\nimport { x } from 'user:nope';\nfunction handler() { return x; }");
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.equal(error.file, 'importing');
  assert.equal(error.line, 2);
  assert.ok(error.column !== undefined && error.column >= 1, `column ${error.column}`);
  assert.match(error.message, /user:nope/);
});

test('a source without a function named handler is refused', async () => {
  const sandbox = await start();
  sandbox.addHandler('other', 'function run() {}');
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.equal(error.file, 'other');
  assert.match(error.message, /handler/);
});

test('a module that throws when it is evaluated is refused with its place', async () => {
  const sandbox = await start();
  sandbox.addHandler('throwing', 'function handler() {}\nnull.property;');
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.equal(error.file, 'throwing');
  assert.equal(error.line, 2);
  assert.match(error.message, /TypeError/);
});

test('a source that is too large is refused with its size and the limit', async () => {
  const sandbox = await start();
  sandbox.addHandler('large', `function handler() {}//${'x'.repeat(8 * MIB)}`);
  const error = await rejection('ERR_PAYLOAD_TOO_LARGE', sandbox.getLoadedSandbox());
  assert.equal(error.limit, 8 * MIB);
  assert.equal(error.size, 8 * MIB + 'function handler() {}//'.length);
});

test('a handler that throws gives its name, message and stack, with the lines of its own source', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    throwing:
      'function check(value) {\n    throw new TypeError("not " + value);\n}\nfunction handler(event) {\n    check(event);\n}',
  });
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('throwing', 'this'));
  assert.equal(error.guestName, 'TypeError');
  assert.equal(error.guestMessage, 'not this');
  assert.equal(error.message, 'TypeError: not this');
  assert.match(error.guestStack ?? '', /check.*throwing:2:\d+/);
  assert.match(error.guestStack ?? '', /handler.*throwing:5:\d+/);
  await assertUsable(loaded);
});

test('a promise that the handler rejects is an error of the guest', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    rejecting: 'async function handler() {\n    await null;\n    throw new RangeError("late");\n}',
  });
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('rejecting', {}));
  assert.equal(error.guestName, 'RangeError');
  assert.equal(error.guestMessage, 'late');
  assert.match(error.guestStack ?? '', /rejecting:3:\d+/);
  await assertUsable(loaded);
});

test('a handler may throw what is no error', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    text: 'function handler() { throw "just text"; }',
    nothing: 'function handler() { throw undefined; }',
  });
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('text', {}));
  assert.equal(error.guestName, '');
  assert.equal(error.guestMessage, 'just text');
  await rejection('ERR_GUEST_ERROR', loaded.callHandler('nothing', {}));
  await assertUsable(loaded);
});

test('a result that JSON cannot express is an error of the guest', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    circular: 'function handler() { const a = {}; a.a = a; return a; }',
    bigint: 'function handler() { return 1n; }',
  });
  for (const name of ['circular', 'bigint']) {
    const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler(name, {}));
    assert.equal(error.guestName, 'TypeError', name);
  }
  await assertUsable(loaded);
});

test('endless recursion is an error of the guest', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    deep: 'function handler(event) { return handler(event) + 1; }',
  });
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('deep', {}));
  assert.match(error.message, /stack/i);
  await assertUsable(loaded);
});

test('a name without a handler is refused', async () => {
  const loaded = await loadBody('return event;');
  for (const name of ['nope', 'F', 'toString', '__proto__']) {
    const error = await rejection('ERR_HANDLER_NOT_FOUND', loaded.callHandler(name, {}));
    assert.match(error.message, new RegExp(name));
  }
  await assertUsable(loaded);
});

test('a bad name of a handler is refused', async () => {
  const sandbox = await start();
  const code = 'function handler(event) { return event; }';
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('', code));
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('x'.repeat(257), code));
  sandbox.addHandler('x'.repeat(256), code);
  sandbox.addHandler('f', code);
  const error = thrown('ERR_INVALID_ARG', () => sandbox.addHandler('f', code));
  assert.match(error.message, /"f"/);

  const loaded = await sandbox.getLoadedSandbox();
  await rejection('ERR_INVALID_ARG', loaded.callHandler('', {}));
  await rejection('ERR_INVALID_ARG', loaded.callHandler('x'.repeat(257), {}));
  assert.equal(await loaded.callHandler('x'.repeat(256), 1), 1);
  await assertUsable(loaded);
});

test('an event that JSON cannot express is refused with the reason', async () => {
  const loaded = await loadBody('return event;');
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const events: [unknown, RegExp][] = [
    [undefined, /undefined/],
    [() => {}, /function/],
    [Symbol('s'), /symbol/],
    [1n, /BigInt/],
    [circular, /circular/],
    [{ toJSON: () => assert.fail('from toJSON') }, /from toJSON/],
    [
      {
        get property() {
          throw 'thrown text';
        },
      },
      /thrown text/,
    ],
  ];
  for (const [event, reason] of events) {
    const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', event));
    assert.match(error.message, reason);
  }
  await assertUsable(loaded);
});

test('an exception that cannot be shown does not get out of hand', async () => {
  const loaded = await loadBody('return event;');
  const hostile = {
    toString() {
      throw hostile;
    },
  };
  await rejection(
    'ERR_INVALID_ARG',
    loaded.callHandler('f', {
      toJSON() {
        throw hostile;
      },
    }),
  );
  await assertUsable(loaded);
});

test('an event that is too large is refused with its size and the limit', async () => {
  const loaded = await loadBody('return event;');
  for (const length of [MIB - 1, 4 * MIB]) {
    const quotes = 2;
    const error = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', 'x'.repeat(length)));
    assert.equal(error.size, length + quotes);
    assert.equal(error.limit, MIB);
    assert.match(error.message, /event/);
  }
  // Measured in UTF-8.
  await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', 'ä'.repeat(MIB / 2)));
  await assertUsable(loaded);
});

test('a result that is too large is refused with its size and the limit', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    repeat: 'function handler(event) { return "x".repeat(event); }',
  });
  const quotes = 2;
  assert.equal((await loaded.callHandler('repeat', MIB - quotes)).length, MIB - quotes);
  for (const length of [MIB - 1, 3 * MIB]) {
    const error = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('repeat', length));
    assert.equal(error.size, length + quotes);
    assert.equal(error.limit, MIB);
    assert.match(error.message, /result/);
  }
  await assertUsable(loaded);
});

test('a result of too many values is refused with their number and the limit, which can be raised', async () => {
  const handler = 'function handler(event) { return Array.from({ length: event }, () => ({})); }';
  const many = async (builder: SandboxBuilder): Promise<LoadedJSSandbox> => {
    const sandbox = await (await builder.build()).loadRuntime();
    sandbox.addHandler('f', handler);
    return sandbox.getLoadedSandbox();
  };
  for (const [loaded, limit] of [
    [await many(new SandboxBuilder()), 131_072],
    [await many(new SandboxBuilder().setMaxOutputValues(50_000)), 50_000],
    [await many(new SandboxBuilder().setMaxOutputValues(2)), 2],
  ] as const) {
    const itself = 1;
    assert.equal((await loaded.callHandler('f', limit - itself)).length, limit - itself);
    const error = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', limit));
    assert.deepEqual([error.size, error.limit, error.unit], [limit + 1, limit, 'values']);
    assert.match(error.message, /result/);
    assert.equal(loaded.status, 'ready');
  }
  for (const count of [0, -1, 1.5, 2 ** 28, '5', undefined]) {
    thrown('ERR_INVALID_ARG', () => new SandboxBuilder().setMaxOutputValues(count as number));
  }
});

test('arguments of a host function of too many values never reach it', async () => {
  let calls = 0;
  const proto = await new SandboxBuilder().setMaxOutputValues(10).build();
  proto.register('test', 'take', (list: number[]) => list.length + calls++);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'f',
    `import { take } from 'host:test';
     function handler(n) { try { return take(new Array(n).fill(0)); } catch (e) { return [e.hostName, e.message]; } }`,
  );
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('f', 8), 8);
  const [name, message] = await loaded.callHandler('f', 9);
  assert.equal(name, 'RangeError');
  assert.match(message, /11 values .* 10 are allowed/);
  assert.equal(calls, 1);
});

test('a guest that runs out of memory fails its call and nothing else', async () => {
  const loaded = await load({
    f: 'function handler(event) { return event; }',
    hoard: 'function handler() { const all = []; for (;;) all.push(new Array(1000).fill(0)); }',
  });
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('hoard', {}));
  assert.match(error.message, /out of memory/);
  await assertUsable(loaded);
});

test('arguments of a wrong type are refused, by a throw or a rejection as the method has it', async () => {
  const sandbox = await start();
  const wrong: unknown[] = [undefined, null, 1, {}, Symbol('s'), ['f']];
  for (const value of wrong) {
    thrown('ERR_INVALID_ARG', () => sandbox.addHandler(value as string, 'function handler() {}'));
    thrown('ERR_INVALID_ARG', () => sandbox.addHandler('f', value as string));
  }
  sandbox.addHandler('f', 'function handler(event) { return event; }');
  const loaded = await sandbox.getLoadedSandbox();
  for (const value of wrong) {
    await rejection('ERR_INVALID_ARG', loaded.callHandler(value as string, {}));
  }
  for (const options of [null, 1, 'gc', true, () => {}] as object[]) {
    await rejection('ERR_INVALID_ARG', loaded.callHandler('f', {}, options));
  }
  for (const gc of [null, 1, 'true', {}] as unknown as boolean[]) {
    const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', {}, { gc }));
    assert.match(error.message, /gc/);
  }
  await assertUsable(loaded);
});

test('an option that does not exist is refused rather than ignored', async () => {
  const loaded = await loadBody('return event;');
  const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', {}, { wallClockTimeoutMS: 1 } as object));
  assert.match(error.message, /wallClockTimeoutMS/);
  await assertUsable(loaded);
});

test('options that throw when they are read are refused', async () => {
  const loaded = await loadBody('return event;');
  const throwing = {
    get gc(): boolean {
      throw new Error('from the getter');
    },
  };
  const error = await rejection('ERR_INVALID_ARG', loaded.callHandler('f', {}, throwing));
  assert.match(error.message, /from the getter/);
  await assertUsable(loaded);
});

test('an object that was consumed says so', async () => {
  const builder = new SandboxBuilder();
  const built = builder.build();
  // While the operation is under way and after it.
  await rejection('ERR_CONSUMED', builder.build());
  const proto = await built;
  await rejection('ERR_CONSUMED', builder.build());

  const started = proto.loadRuntime();
  await rejection('ERR_CONSUMED', proto.loadRuntime());
  const sandbox = await started;
  const error = await rejection('ERR_CONSUMED', proto.loadRuntime());
  assert.match(error.message, /ProtoJSSandbox.*loadRuntime/);

  sandbox.addHandler('f', 'function handler(event) { return event; }');
  const loading = sandbox.getLoadedSandbox();
  await rejection('ERR_CONSUMED', sandbox.getLoadedSandbox());
  thrown('ERR_CONSUMED', () => sandbox.addHandler('g', ''));
  const loaded = await loading;
  thrown('ERR_CONSUMED', () => sandbox.addHandler('g', ''));
  await rejection('ERR_CONSUMED', sandbox.getLoadedSandbox());
  await assertUsable(loaded);
});
