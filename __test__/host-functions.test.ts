import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { HostFunctionModule, HostModule, type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { loadWithHost, rejection, runProgram, start, startWithHost, thrown } from './sandbox';

const CATCH = `
  try {
    const result = host.call(...event);
    return { result, type: typeof result };
  } catch (error) {
    return {
      isHostFunctionError: error instanceof HostFunctionError && error instanceof Error,
      name: error.name, hostName: error.hostName, message: error.message,
    };
  }
`;

/** What guest code sees of one call of a host function. */
async function seenByGuest(call: (...args: never[]) => unknown, ...args: unknown[]) {
  return (await loadWithHost({ call }, CATCH)).callHandler('f', args);
}

function failure(hostName: string, message: string) {
  return { isHostFunctionError: true, name: 'HostFunctionError', hostName, message };
}

test('a host function gets its arguments spread and its result arrives', async () => {
  const received: unknown[][] = [];
  const call = (...args: never[]) => {
    received.push(args);
    return args;
  };
  const args = [1, 'two', [3], { four: null }, true, 'ü🦀'];
  assert.deepEqual(await seenByGuest(call, ...args), { result: args, type: 'object' });
  assert.deepEqual(received, [args]);
  assert.deepEqual(await seenByGuest(call), { result: [], type: 'object' });
});

test('what JSON leaves out arrives as undefined', async () => {
  for (const value of [undefined, () => {}, Symbol('s')]) {
    assert.deepEqual(await seenByGuest(() => value), { type: 'undefined' });
    assert.deepEqual(await seenByGuest(async () => value), { type: 'undefined' });
  }
  assert.deepEqual(await seenByGuest(() => null), { result: null, type: 'object' });
  assert.deepEqual(await seenByGuest(() => ({ a: undefined, b: new Date(0) })), {
    result: { b: '1970-01-01T00:00:00.000Z' },
    type: 'object',
  });
});

test('a promise and any other thenable are awaited, also a promise of a promise', async () => {
  const results: (() => unknown)[] = [
    async () => {
      await sleep(5);
      return 'value';
    },
    () => Promise.resolve('value'),
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    () => ({ then: (resolve: (value: string) => void) => resolve('value') }),
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    () => Object.assign(() => {}, { then: (resolve: (value: string) => void) => resolve('value') }),
    () => new Promise((resolve) => setImmediate(() => resolve(Promise.resolve(Promise.resolve('value'))))),
  ];
  for (const result of results) {
    assert.deepEqual(await seenByGuest(result), { result: 'value', type: 'string' });
  }
  // biome-ignore lint/suspicious/noThenProperty: it is what is tested
  assert.deepEqual(await seenByGuest(() => ({ then: 1 })), { result: { then: 1 }, type: 'object' });
});

test('a throw and a rejection become a HostFunctionError with the message and the name', async () => {
  class OwnError extends Error {
    override name = 'OwnError';
  }
  const errors = [new Error('plain'), new RangeError('out of it'), new OwnError('own'), new Error('')];
  for (const error of errors) {
    const expected = failure(error.name, error.message);
    assert.deepEqual(
      await seenByGuest(() => {
        throw error;
      }),
      expected,
    );
    assert.deepEqual(await seenByGuest(() => Promise.reject(error)), expected);
  }
  const timeout = await seenByGuest(() => {
    throw new DOMException('too slow', 'TimeoutError');
  });
  assert.deepEqual(timeout, failure('TimeoutError', 'too slow'));
});

test('what is thrown and is no error becomes a message without a name', async () => {
  const hostile = {
    get message() {
      throw hostile;
    },
    toString() {
      throw hostile;
    },
  };
  const values: [unknown, string][] = [
    ['just text', 'just text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
    [{ status: 404 }, '{"status":404}'],
    [hostile, 'an exception that cannot be shown'],
    [Symbol('s'), 'Symbol(s)'],
  ];
  for (const [value, message] of values) {
    const thrower = () => {
      throw value;
    };
    assert.deepEqual(await seenByGuest(thrower), failure('', message));
    assert.deepEqual(await seenByGuest(() => Promise.reject(value)), failure('', message));
  }
});

test('a result that JSON.stringify refuses is an error of the host function', async () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  for (const value of [cyclic, 1n, [1n]]) {
    for (const call of [() => value, async () => value]) {
      const seen = await seenByGuest(call);
      assert.equal(seen.isHostFunctionError, true);
      assert.equal(seen.hostName, 'TypeError');
      assert.match(seen.message, /circular|BigInt/);
    }
  }
  const throwing = {
    toJSON() {
      throw new RangeError('from toJSON');
    },
  };
  assert.deepEqual(await seenByGuest(() => throwing), failure('RangeError', 'from toJSON'));
  for (const times of [0, 1]) {
    let asked = 0;
    const unreadable = Object.defineProperty({}, 'then', {
      get() {
        if (asked++ >= times) throw new RangeError('from then');
        return () => {};
      },
    });
    assert.deepEqual(await seenByGuest(() => unreadable), failure('RangeError', 'from then'));
  }
});

test('an error that the guest does not catch is an error of the guest', async () => {
  const loaded = await loadWithHost({ fail: () => Promise.reject(new TypeError('from the host')) }, 'host.fail();');
  const error = await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', {}));
  assert.equal(error.guestName, 'HostFunctionError');
  assert.equal(error.guestMessage, 'from the host');
  assert.equal(loaded.poisoned, false);
});

test('a result that is too large for the guest is an error that it can catch', async () => {
  const loaded = await loadWithHost({ call: (length: number) => 'x'.repeat(length) }, CATCH);
  const seen = await loaded.callHandler('f', [8 * 2 ** 20]);
  assert.equal(seen.isHostFunctionError, true);
  assert.equal((await loaded.callHandler('f', [10])).result, 'x'.repeat(10));
});

test('a host function takes tens of thousands of arguments, and more than 65,535 are an error in the guest', async () => {
  const body = `
    try {
      return host.count(...new Array(event).fill(0));
    } catch (error) {
      return error.message;
    }
  `;
  // They lie on the stack, of the guest and of the host.
  const proto = await new SandboxBuilder().setScratchSize(8 * 2 ** 20).build();
  proto.register('test', 'count', (...args) => args.length);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', `import * as host from 'host:test'; function handler(event) { ${body} }`);
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('f', 50_000), 50_000);
  assert.match(await loaded.callHandler('f', 65_536), /too many arguments/);
  assert.equal(await loaded.callHandler('f', 1), 1);
});

test('hostModule and register can be chained, and register alone does the same', async () => {
  const proto = await new SandboxBuilder().build();
  const math = proto.hostModule('math');
  assert.ok(math instanceof HostModule);
  assert.equal(
    math.register('add', (a, b) => a + b).register('multiply', (a, b) => a * b),
    math,
  );
  assert.ok(proto.register('strings', 'upper', (text) => text.toUpperCase()) instanceof HostModule);
  proto.hostModule('math').register('negate', (a) => -a);
  proto.register('math', 'add', (a, b) => a + b + 1000);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'handler',
    `import * as math from 'host:math';
     import { upper } from 'host:strings';
     function handler() { return [math.add(1, 2), math.multiply(3, 4), math.negate(5), upper('text'), Object.keys(math)]; }`,
  );
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('handler', {}), [1003, 12, -5, 'TEXT', ['add', 'multiply', 'negate']]);
});

test('arguments of a registration are checked', async () => {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('module');
  const callback = () => {};
  for (const name of ['', undefined, null, 1, {}] as string[]) {
    thrown('ERR_INVALID_ARG', () => proto.hostModule(name));
    thrown('ERR_INVALID_ARG', () => module.register(name, callback));
    thrown('ERR_INVALID_ARG', () => proto.register(name, 'f', callback));
    thrown('ERR_INVALID_ARG', () => proto.register('module', name, callback));
  }
  for (const wrong of [undefined, null, {}, 'f', 1] as unknown as (() => void)[]) {
    thrown('ERR_INVALID_ARG', () => module.register('f', wrong));
    thrown('ERR_INVALID_ARG', () => proto.register('module', 'f', wrong));
  }
});

test('after loadRuntime() nothing can be registered, through whatever object', async () => {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('module');
  const started = proto.loadRuntime();
  for (let i = 0; i < 2; i++) {
    thrown('ERR_CONSUMED', () => proto.hostModule('module'));
    thrown('ERR_CONSUMED', () => proto.register('module', 'f', () => {}));
    const error = thrown('ERR_CONSUMED', () => module.register('f', () => {}));
    assert.match(error.message, /loadRuntime/);
    await started;
  }
});

test('the event loop is free while a guest waits for a promise', async () => {
  // It waits for the event loop: there would be no end if the loop were not free.
  const wait = async () => {
    for (let turns = 0; turns < 20; turns++) await sleep(5);
    return 'free';
  };
  const loaded = await loadWithHost({ wait }, 'return host.wait();');
  assert.equal(await loaded.callHandler('f', {}), 'free');
});

test('host functions of several sandboxes are awaited side by side', async () => {
  // Each waits for all of them.
  const waiting: ((count: number) => void)[] = [];
  const wait = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 5) for (const resume of waiting) resume(waiting.length);
    });
  const sandboxes = await Promise.all(Array.from({ length: 5 }, () => loadWithHost({ wait }, 'return host.wait();')));
  const results = sandboxes.map((loaded) => loaded.callHandler('f', {}));
  assert.deepEqual(await Promise.all(results), [5, 5, 5, 5, 5]);
});

test('a host function can be called while a handler is being loaded', async () => {
  const sandbox = await startWithHost({ setting: async () => 'from the host' });
  sandbox.addHandler(
    'f',
    "import { setting } from 'host:test'; const value = setting(); function handler() { return value; }",
  );
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('f', {}), 'from the host');
});

test('many calls of host functions in one call of a handler', async () => {
  const loaded = await loadWithHost(
    { next: (i: number) => (i % 2 ? i + 1 : Promise.resolve(i + 1)) },
    'let i = 0; while (i < event) i = host.next(i); return i;',
  );
  assert.equal(await loaded.callHandler('f', 1000), 1000);
});

test('calls that others make while a guest waits take their turn', async () => {
  let enter = () => {};
  const entered = new Promise<void>((resolve) => (enter = resolve));
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const wait = async (value: string) => {
    enter();
    await released;
    return value;
  };
  const loaded = await loadWithHost({ wait }, 'return host.wait(event);');
  const events = ['a', 'b', 'c', 'd'];
  const first = loaded.callHandler('f', 'first');
  await entered;
  const others = events.map((event) => loaded.callHandler('f', event));
  release();
  assert.deepEqual(await Promise.all([first, ...others]), ['first', ...events]);
});

test('a host function that uses the sandbox whose call it serves is refused at once', async () => {
  let loaded: LoadedJSSandbox | undefined;
  const attempts: ((sandbox: LoadedJSSandbox) => Promise<unknown>)[] = [
    (sandbox) => sandbox.callHandler('f', {}),
    (sandbox) => sandbox.snapshot(),
    (sandbox) => sandbox.unload(),
  ];
  const snapshots: Awaited<ReturnType<LoadedJSSandbox['snapshot']>>[] = [];
  const reenter = async () => {
    if (!loaded) return 'not yet';
    const sandbox = loaded;
    const now = attempts.map((attempt) => rejection('ERR_REENTRANT', attempt(sandbox)));
    await sleep(5);
    const later = attempts.map((attempt) => rejection('ERR_REENTRANT', attempt(sandbox)));
    const restored = snapshots.map((snapshot) => rejection('ERR_REENTRANT', sandbox.restore(snapshot)));
    return (await Promise.all([...now, ...later, ...restored])).length;
  };
  loaded = await loadWithHost({ reenter }, 'return host.reenter();');
  snapshots.push(await loaded.snapshot());
  assert.equal(await loaded.callHandler('f', {}), 7);
  assert.equal(await loaded.callHandler('f', {}), 7);
});

test('so is one that does it by way of another sandbox', async () => {
  let first: LoadedJSSandbox | undefined;
  let second: LoadedJSSandbox | undefined;
  const toSecond = () => second?.callHandler('f', {});
  const toFirst = () => first?.callHandler('f', {}).catch((error: { code: string }) => error.code);
  first = await loadWithHost({ call: toSecond }, 'return host.call();');
  second = await loadWithHost({ call: toFirst }, 'return host.call();');
  assert.equal(await first.callHandler('f', {}), 'ERR_REENTRANT');
});

test('what a host function has begun may use the sandbox once its result is settled', async () => {
  let loaded: LoadedJSSandbox | undefined;
  let later: Promise<unknown> | undefined;
  const begin = (again: boolean) => {
    if (again) later = sleep(50).then(() => loaded?.callHandler('f', false));
    return 'begun';
  };
  loaded = await loadWithHost({ begin }, 'return host.begin(event);');
  assert.equal(await loaded.callHandler('f', true), 'begun');
  assert.equal(await later, 'begun');
});

test('a host function runs in an asynchronous context of its own and leaves those of others alone', async () => {
  const storage = new AsyncLocalStorage<string>();
  const loaded = await loadWithHost(
    { enter: () => storage.run('inside', () => sleep(1).then(() => storage.getStore())) },
    'return host.enter();',
  );
  await storage.run('outside', async () => {
    assert.equal(await loaded.callHandler('f', {}), 'inside');
    assert.equal(storage.getStore(), 'outside');
  });
});

test('a Node.js that gives addons no built-in modules tells what waits for itself from what does not', async () => {
  const program = `
    let loaded;
    const again = () => loaded.callHandler('f', false).catch((error) => error.code);
    sandboxes.loadWithHost({ again }, 'return event ? host.again() : "waited";').then(async (sandbox) => {
      loaded = sandbox;
      const calls = [loaded.callHandler('f', true), loaded.callHandler('f', false), loaded.callHandler('f', true)];
      console.log(...(await Promise.all(calls)));
    });
  `;
  const output = await runProgram(program, '--require', join(__dirname, 'no-builtin-modules.js'));
  assert.equal(output, 'ERR_REENTRANT waited ERR_REENTRANT\n');
});

test('kill() ends a wait that would never end, and the late result is dropped', async () => {
  let settle: (value: string) => void = () => {};
  let enter = () => {};
  const never = () => {
    enter();
    return new Promise((resolve) => (settle = resolve));
  };
  const loaded = await loadWithHost({ never }, 'return event ? host.never() : "usable";');
  const snapshot = await loaded.snapshot();
  const handle = loaded.interruptHandle;
  for (let i = 0; i < 3; i++) {
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const call = rejection('ERR_CANCELLED', loaded.callHandler('f', true));
    await entered;
    handle.kill();
    await call;
    assert.equal(loaded.poisoned, true);
    settle('late');
    await loaded.restore(snapshot);
    assert.equal(await loaded.callHandler('f', false), 'usable');
  }
});

test('a host function survives restoring and unloading', async () => {
  let count = 0;
  const sandbox = await startWithHost({ hit: () => ++count });
  const code = "import { hit } from 'host:test'; function handler() { return hit(); }";
  sandbox.addHandler('f', code);
  const loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  assert.equal(await loaded.callHandler('f', {}), 1);
  await loaded.restore(snapshot);
  assert.equal(await loaded.callHandler('f', {}), 2);
  const unloaded = await loaded.unload();
  unloaded.addHandler('g', code);
  assert.equal(await (await unloaded.getLoadedSandbox()).callHandler('g', {}), 3);
});

test('a host function that is not registered cannot be imported', async () => {
  for (const sandbox of [await start(), await startWithHost({ known: () => 1 })]) {
    sandbox.addHandler('f', "import { unknown } from 'host:test'; function handler() { return unknown(); }");
    await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  }
});

test('host functions do not keep a process alive', async () => {
  const output = await runProgram(`
    sandboxes.loadWithHost({ f: () => new Promise(() => {}) }, 'return 1;').then(async (loaded) => {
      globalThis.kept = loaded;
      console.log(await loaded.callHandler('f', {}));
    });
  `);
  assert.equal(output, '1\n');
});

test('a process can exit within a host function and while a guest waits for one', async () => {
  for (const act of ['process.exit(0)', 'new Promise(() => setTimeout(() => process.exit(0), 20))']) {
    await runProgram(`
      sandboxes.loadWithHost({ act: () => ${act} }, 'host.act();').then((loaded) => loaded.callHandler('f', {}));
    `);
  }
});

test('a promise that nobody can settle any more does not keep the guest waiting', async () => {
  const output = await runProgram(
    `
    sandboxes.loadWithHost({ forget: () => new Promise(() => {}) }, 'host.forget();').then(async (loaded) => {
      const timer = setInterval(gc, 20);
      console.log(await loaded.callHandler('f', {}).catch((error) => error.guestMessage));
      clearInterval(timer);
    });
  `,
    '--expose-gc',
  );
  assert.equal(output, 'the host function will never give a result\n');
});

function worker(act: string): Worker {
  return new Worker(join(__dirname, 'host-worker.js'), { workerData: act });
}

test('host functions run in the worker thread that registered them', async () => {
  const [one, other] = [worker('answer'), worker('answer')];
  assert.deepEqual(await Promise.all([once(one, 'message'), once(other, 'message')]), [[42], [42]]);
});

test('a worker can end while its guest waits for a host function', async () => {
  for (const act of ['wait for ever', 'spin']) {
    for (let i = 0; i < 3; i++) {
      const waiting = worker(act);
      assert.deepEqual(await once(waiting, 'message'), ['waiting']);
      await waiting.terminate();
    }
  }
  assert.deepEqual(await once(worker('exit'), 'exit'), [3]);
  assert.equal((await seenByGuest(() => 'still here')).result, 'still here');
});

test('a module of host functions is given to several builders', async () => {
  let calls = 0;
  const module = new HostFunctionModule('counter');
  assert.equal(module.name, 'counter');
  assert.equal(
    module.register('next', () => ++calls).registerAsync('later', async (n: number) => n * 2),
    module,
  );
  const builder = new SandboxBuilder();
  assert.equal(builder.addHostFunctionModule(module), builder);
  // What is registered later is not in a builder that has the module already.
  module.register('more', () => 1);
  const code = `
    import * as counter from 'host:counter';
    export const handler = async () => [counter.next(), await counter.later(4), Object.keys(counter)];
  `;
  const loaded = async (from: SandboxBuilder) => {
    const sandbox = await (await from.build()).loadRuntime();
    sandbox.addHandler('f', code);
    return sandbox.getLoadedSandbox();
  };
  const first = await loaded(builder);
  const second = await loaded(new SandboxBuilder().addHostFunctionModule(module));
  assert.deepEqual(await first.callHandler('f', 0), [1, 8, ['later', 'next']]);
  assert.deepEqual(await second.callHandler('f', 0), [2, 8, ['later', 'more', 'next']]);
  assert.deepEqual((await second.snapshot()).requirements, {
    hostFunctions: [{ module: 'counter', functions: ['more', 'next'], asyncFunctions: ['later'] }],
  });

  const snapshot = await second.snapshot();
  const proto = await SandboxBuilder.fromSnapshot(snapshot).addHostFunctionModule(module).build();
  proto.register('counter', 'next', () => 'mine');
  const third = await (await proto.loadRuntime()).getLoadedSandbox();
  assert.equal((await third.callHandler('f', 0))[0], 'mine');
});

test("a sandbox's module of host functions can be given to builders of others", async () => {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('math');
  assert.ok(module instanceof HostFunctionModule);
  assert.equal(module.name, 'math');
  module.register('one', () => 1);
  proto.register('math', 'two', () => 2).register('one', () => 'one');
  proto.register('other', 'three', () => 3);
  const code = `import * as math from 'host:math'; export const handler = () => [Object.keys(math), math.one()];`;
  const result = async (of: typeof proto) => {
    const sandbox = await of.loadRuntime();
    sandbox.addHandler('f', code);
    return (await sandbox.getLoadedSandbox()).callHandler('f', null);
  };
  const another = await new SandboxBuilder().addHostFunctionModule(module).build();
  thrown('ERR_INVALID_ARG', () => another.hostModule('a\n'));
  assert.deepEqual(await result(another), [['one', 'two'], 'one']);
  assert.deepEqual(await result(proto), [['one', 'two'], 'one']);
  // Its functions have gone into the sandbox.
  for (const use of [
    () => module.register('more', () => 1),
    () => new SandboxBuilder().addHostFunctionModule(module),
    () => proto.hostModule('math'),
  ]) {
    assert.match(thrown('ERR_CONSUMED', use).message, /loadRuntime/);
  }
});

test('a callback of a module cannot wait for the sandbox that it serves, but for another', async () => {
  const module = new HostFunctionModule('m');
  const sandboxes: LoadedJSSandbox[] = [];
  module.register('call', (index: number) => sandboxes[index]?.callHandler('f', null));
  for (let i = 0; i < 2; i++) {
    const sandbox = await (await new SandboxBuilder().addHostFunctionModule(module).build()).loadRuntime();
    sandbox.addHandler(
      'f',
      `import { call } from 'host:m'; export const handler = (i) => (i === null ? 'ok' : call(i));`,
    );
    sandboxes.push(await sandbox.getLoadedSandbox());
  }
  const [first] = sandboxes as [LoadedJSSandbox];
  assert.equal(await first.callHandler('f', 1), 'ok');
  const { message } = await rejection('ERR_GUEST_ERROR', first.callHandler('f', 0));
  assert.match(message, /wait/);
});

test('a module of host functions checks its arguments', () => {
  for (const wrong of ['', ' ', 'a\n', 'x'.repeat(257), undefined, 1] as string[]) {
    thrown('ERR_INVALID_ARG', () => new HostFunctionModule(wrong));
    thrown('ERR_INVALID_ARG', () => new HostFunctionModule('m').register(wrong, () => 1));
    thrown('ERR_INVALID_ARG', () => new HostFunctionModule('m').registerAsync(wrong, () => 1));
  }
  thrown('ERR_INVALID_ARG', () => new HostFunctionModule('m').register('f', 1 as unknown as () => number));
  for (const wrong of [undefined, {}, 'm', HostFunctionModule] as HostFunctionModule[]) {
    thrown('ERR_INVALID_ARG', () => new SandboxBuilder().addHostFunctionModule(wrong));
  }
});
