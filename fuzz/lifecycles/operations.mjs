// What can be done, and what must come out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { answer, code, failure, HANDLER, Loaded, SETTINGS, SOURCE, State, unanswered } from './model.mjs';

/** Of each no more than this at a time. */
const MOST = 6;
/** A time in which a call of these handlers cannot fail to end, unless something hangs. */
const LONG_MS = 120_000;

/** A list of `[weight, operation]`. An operation that cannot be done now gives `false`. */
export const operations = [
  [6, build],
  [20, call],
  [6, callAtOnce],
  [6, callHost],
  [4, refused],
  [4, stop],
  [3, kill],
  [4, abort],
  [2, killNothing],
  [8, snapshot],
  [10, restore],
  [2, restoreForeign],
  [2, saveAndLoad],
  [4, fromSnapshot],
  [3, unload],
  [3, dispose],
  [2, disposeWhileRunning],
  [1, disposeState],
  [2, compileError],
  [2, pool],
  [2, poolOfState],
  [2, programs],
  [1, worker],
];

async function build(world) {
  if (world.loaded.length >= MOST) return false;
  const settings = world.random.of(SETTINGS);
  const sandbox = await (await world.build(settings)).loadRuntime();
  sandbox.addHandler(HANDLER, SOURCE);
  world.loaded.push(new Loaded(await sandbox.getLoadedSandbox({ wallClockTimeoutMs: LONG_MS }), settings, 0));
}

async function call(world) {
  const sandbox = world.random.of(world.loaded);
  if (!sandbox) return false;
  const bytes = Uint8Array.from({ length: world.random.below(300) }, (_, i) => i);
  const event = world.random.once(4) ? { do: 'fill', size: world.random.below(50_000), bytes } : { bytes };
  await expectCall(sandbox, event, { wallClockTimeoutMs: LONG_MS });
}

/** A call of the handler counts, unless the sandbox is poisoned. */
async function expectCall(sandbox, event, options) {
  const promise = sandbox.object.callHandler(HANDLER, event, options);
  if (sandbox.poisoned) {
    assert.equal(await code(promise), 'ERR_POISONED');
  } else {
    sandbox.count += 1;
    sandbox.called = true;
    const expected = { count: sandbox.count, bytes: event.bytes ?? null };
    assert.deepEqual(await promise, expected);
  }
}

/** Calls of one sandbox are done in the order in which they were made, those of others at the same time. */
async function callAtOnce(world) {
  if (world.loaded.length === 0) return false;
  const calls = Array.from({ length: 1 + world.random.below(12) }, () =>
    expectCall(world.random.of(world.loaded), {}, { gc: world.random.once(2) }),
  );
  await Promise.all(calls);
}

async function callHost(world) {
  const sandbox = world.random.of(world.loaded.filter(({ poisoned }) => !poisoned));
  if (!sandbox) return false;
  const how = world.random.of(['now', 'later', 'throw', 'reject']);
  const value = world.random.below(1000);
  sandbox.count += 1;
  sandbox.called = true;
  const event = { do: world.random.of(['host', 'await']), how, value };
  const promise = sandbox.object.callHandler(HANDLER, event, { wallClockTimeoutMs: LONG_MS });
  if (how === 'now' || how === 'later') {
    assert.equal(await promise, value);
  } else {
    const error = await failure(promise);
    assert.equal(error.code, 'ERR_GUEST_ERROR');
    assert.match(error.guestMessage, new RegExp(`failed ${value}`));
  }
}

/** What is refused, or thrown, changes nothing but the count of a handler that has been called. */
async function refused(world) {
  const sandbox = world.random.of(world.loaded.filter(({ poisoned }) => !poisoned));
  if (!sandbox) return false;
  const { object, settings } = sandbox;
  switch (world.random.below(6)) {
    case 0:
      assert.equal(await code(object.callHandler('missing', {})), 'ERR_HANDLER_NOT_FOUND');
      sandbox.called = true;
      break;
    case 1:
      assert.equal(await code(object.callHandler(HANDLER, { cyclic: 1n })), 'ERR_INVALID_ARG');
      break;
    case 2: {
      const error = await failure(object.callHandler(HANDLER, 'x'.repeat(settings.bufferSize)));
      assert.deepEqual([error.code, error.limit], ['ERR_PAYLOAD_TOO_LARGE', settings.bufferSize]);
      sandbox.called = true;
      break;
    }
    case 3: {
      sandbox.count += 1;
      const error = await failure(object.callHandler(HANDLER, { do: 'large', size: settings.bufferSize }));
      assert.deepEqual([error.code, error.size], ['ERR_PAYLOAD_TOO_LARGE', settings.bufferSize + 2]);
      sandbox.called = true;
      break;
    }
    case 4: {
      sandbox.count += 1;
      const text = String(world.random.below(1000));
      const error = await failure(object.callHandler(HANDLER, { do: 'throw', text }));
      assert.deepEqual([error.code, error.guestMessage], ['ERR_GUEST_ERROR', `thrown ${text}`]);
      sandbox.called = true;
      break;
    }
    default:
      assert.equal(await code(object.callHandler(HANDLER, {}, { wallClockTimeoutMs: -1 })), 'ERR_INVALID_ARG');
  }
}

const ENDLESS = [{ do: 'spin' }, { do: 'host', how: 'never' }, { do: 'await', how: 'never' }];

/** A call that does not end is stopped by its limits. */
async function stop(world) {
  const sandbox = world.random.of(world.loaded.filter(({ poisoned }) => !poisoned));
  if (!sandbox) return false;
  const event = world.random.of(ENDLESS);
  const options = { wallClockTimeoutMs: 1 + world.random.below(30) };
  if (event.do === 'spin' && world.random.once(2)) options.cpuTimeoutMs = 1 + world.random.below(10);
  sandbox.poisoned = true;
  sandbox.called = true;
  assert.equal(await code(sandbox.object.callHandler(HANDLER, event, options)), 'ERR_CANCELLED');
}

/** `kill()` stops the oldest of the calls, at whatever point it is; the others find the sandbox poisoned. */
async function kill(world) {
  const sandbox = world.random.of(world.loaded.filter(({ poisoned }) => !poisoned));
  if (!sandbox) return false;
  const handle = sandbox.object.interruptHandle;
  const codes = [world.random.of(ENDLESS), {}, {}].map((event) => code(sandbox.object.callHandler(HANDLER, event)));
  sandbox.poisoned = true;
  sandbox.called = true;
  for (let turns = world.random.below(20); turns > 0; turns--) await turn();
  handle.kill();
  assert.deepEqual(await Promise.all(codes), ['ERR_CANCELLED', 'ERR_POISONED', 'ERR_POISONED']);
}

/** A signal stops its own call, and no other: one that waits never begins, and one that has begun poisons the sandbox. */
async function abort(world) {
  const { random } = world;
  const sandbox = random.of(world.loaded.filter(({ poisoned }) => !poisoned));
  if (!sandbox) return false;
  const [first, second] = [new AbortController(), new AbortController()];
  const isEndless = random.once(2);
  const value = random.below(1000);
  const event = { do: random.of(['host', 'await']), how: isEndless ? 'never' : 'later', value };
  const before = unanswered.length;
  const calls = [
    sandbox.object.callHandler(HANDLER, event, { signal: first.signal }),
    failure(sandbox.object.callHandler(HANDLER, {}, { signal: second.signal })),
  ];
  if (isEndless) calls[0] = failure(calls[0]);
  sandbox.count += 1;
  sandbox.called = true;
  second.abort(value);
  const waiting = await calls[1];
  assert.deepEqual([waiting.code, waiting.terminatedBy, waiting.cause], ['ERR_CANCELLED', 'signal', value]);
  if (!isEndless) {
    assert.equal(await calls[0], value);
    first.abort();
    return expectCall(sandbox, {});
  }
  while (unanswered.length === before) await turn();
  sandbox.poisoned = true;
  first.abort(value);
  const begun = await calls[0];
  assert.deepEqual([begun.code, begun.terminatedBy, begun.cause], ['ERR_CANCELLED', 'signal', value]);
}

function killNothing(world) {
  const sandbox = world.random.of(world.loaded);
  if (!sandbox) return false;
  sandbox.object.interruptHandle.kill();
}

async function snapshot(world) {
  const sandbox = world.random.of(world.loaded);
  if (!sandbox || world.states.length >= MOST) return false;
  const promise = sandbox.object.snapshot();
  if (sandbox.poisoned) assert.equal(await code(promise), 'ERR_POISONED');
  else world.states.push(new State(await promise, sandbox.settings, sandbox.count));
}

async function restore(world) {
  const sandbox = world.random.of(world.loaded);
  const state = sandbox && world.random.of(world.states.filter(({ settings }) => settings === sandbox.settings));
  if (!state) return false;
  await sandbox.object.restore(state.object);
  sandbox.poisoned = false;
  sandbox.count = state.count;
}

async function restoreForeign(world) {
  const sandbox = world.random.of(world.loaded);
  const state = sandbox && world.random.of(world.states.filter(({ settings }) => settings !== sandbox.settings));
  if (!state) return false;
  assert.equal(await code(sandbox.object.restore(state.object)), 'ERR_INVALID_ARG');
}

async function saveAndLoad(world) {
  const state = world.random.of(world.states);
  if (!state || world.states.length >= MOST) return false;
  const folder = join(world.folder, String(world.random.below(3)));
  const digest = await state.object.save(folder);
  const loaded = await world.addon.Snapshot.load(folder, world.random.once(2) ? digest : undefined);
  world.states.push(new State(loaded, state.settings, state.count));
}

async function fromSnapshot(world) {
  const state = world.random.of(world.states);
  if (!state || world.loaded.length >= MOST) return false;
  const proto = world.withHost(await world.addon.SandboxBuilder.fromSnapshot(state.object).build());
  const object = await (await proto.loadRuntime()).getLoadedSandbox();
  world.loaded.push(new Loaded(object, state.settings, state.count));
}

async function unload(world) {
  const sandbox = take(world.random, world.loaded);
  if (!sandbox) return false;
  const js = await sandbox.object.unload();
  assert.equal(await code(sandbox.object.callHandler(HANDLER, {})), 'ERR_CONSUMED');
  js.addHandler(HANDLER, SOURCE);
  world.loaded.push(new Loaded(await js.getLoadedSandbox(), sandbox.settings, 0));
}

async function dispose(world) {
  const sandbox = take(world.random, world.loaded);
  if (!sandbox) return false;
  sandbox.object.dispose();
  const { object } = sandbox;
  for (const promise of [object.callHandler(HANDLER, {}), object.snapshot(), object.unload()]) {
    assert.equal(await code(promise), 'ERR_CONSUMED');
  }
}

async function disposeWhileRunning(world) {
  const sandbox = take(world.random, world.loaded);
  if (!sandbox) return false;
  const codes = [world.random.of(ENDLESS), {}].map((event) => code(sandbox.object.callHandler(HANDLER, event)));
  for (let turns = world.random.below(20); turns > 0; turns--) await turn();
  sandbox.object.dispose();
  const [first, second] = await Promise.all(codes);
  // The first may have begun or not.
  const allowed = ['ERR_CANCELLED', 'ERR_CONSUMED'];
  if (sandbox.poisoned) allowed.push('ERR_POISONED');
  assert.ok(allowed.includes(first), first);
  assert.ok(second === 'ERR_CONSUMED' || (sandbox.poisoned && second === 'ERR_POISONED'), second);
}

async function disposeState(world) {
  const state = take(world.random, world.states);
  if (!state) return false;
  state.object.dispose();
  assert.equal(await code(state.object.save(join(world.folder, 'disposed'))), 'ERR_CONSUMED');
  const [sandbox] = world.loaded;
  if (sandbox) assert.equal(await code(sandbox.object.restore(state.object)), 'ERR_CONSUMED');
}

/** A sandbox whose handler does not load stays usable, and so does one whose loading was stopped. */
async function compileError(world) {
  if (world.loaded.length >= MOST) return false;
  const settings = world.random.of(SETTINGS);
  const sandbox = await (await world.build(settings)).loadRuntime();
  if (world.random.once(2)) {
    sandbox.addHandler('bad', world.random.of(['function handler( {', 'throw 1;', 'import "user:none";', 'let a;']));
    assert.equal(await code(sandbox.getLoadedSandbox()), 'ERR_COMPILE');
  } else {
    sandbox.addHandler('bad', 'for (;;); function handler() {}');
    assert.equal(await code(sandbox.getLoadedSandbox({ wallClockTimeoutMs: 10 })), 'ERR_CANCELLED');
  }
  sandbox.removeHandler('bad');
  sandbox.addHandler(HANDLER, SOURCE);
  world.loaded.push(new Loaded(await sandbox.getLoadedSandbox(), settings, 0));
}

/** Each request of a pool finds the state in which its sandboxes were prepared, whatever became of the others. */
async function pool(world) {
  const { random } = world;
  const settings = random.of(SETTINGS);
  const prepare = async () => {
    const sandbox = await (await world.build(settings)).loadRuntime();
    sandbox.addHandler(HANDLER, SOURCE);
    return sandbox.getLoadedSandbox();
  };
  const made = new world.addon.SandboxPool({ prepare, size: 1 + random.below(2) });
  const requests = Array.from({ length: random.below(10) }, async () => {
    switch (random.below(4)) {
      case 0:
        assert.equal(await code(made.callHandler(HANDLER, { do: 'spin' }, { wallClockTimeoutMs: 5 })), 'ERR_CANCELLED');
        break;
      case 1:
        assert.equal(await code(made.callHandler(HANDLER, { do: 'throw' })), 'ERR_GUEST_ERROR');
        break;
      default:
        assert.deepEqual(await made.callHandler(HANDLER, { bytes: 1 }), { count: 1, bytes: 1 });
    }
  });
  await Promise.all(requests);
  await made.close();
  assert.equal(await code(made.callHandler(HANDLER, {})), 'ERR_CONSUMED');
}

/** Each request of a pool finds the state of its snapshot. */
async function poolOfState(world) {
  const state = world.random.of(world.states);
  if (!state) return false;
  const made = new world.addon.SandboxPool({ snapshot: state.object, size: 1 + world.random.below(2) });
  const functions = { test: world.addon.sync({ answer }) };
  const requests = Array.from({ length: world.random.below(6) }, async (_, value) => {
    switch (world.random.below(4)) {
      case 0:
        assert.equal(await code(made.callHandler(HANDLER, { do: 'spin' }, { wallClockTimeoutMs: 5 })), 'ERR_CANCELLED');
        break;
      case 1:
        // The handler has imported one that does not make a promise.
        assert.equal(await code(made.callHandler(HANDLER, {}, { functions: { test: { answer } } })), 'ERR_INVALID_ARG');
        break;
      case 2: {
        const event = { do: world.random.of(['host', 'await']), how: world.random.of(['now', 'later']), value };
        assert.equal(await made.callHandler(HANDLER, event, { functions }), value);
        break;
      }
      default:
        assert.deepEqual(await made.callHandler(HANDLER, {}), { count: state.count + 1, bytes: null });
    }
  });
  await Promise.all(requests);
  await made.close();
}

/** Each program runs in a guest in which there was no other. */
async function programs(world) {
  const { random } = world;
  const made = new world.addon.SandboxPool({ size: 1 + random.below(2) });
  const requests = Array.from({ length: random.below(10) }, async (_, input) => {
    const run = async (source, options) => (await made.run(source, { input, ...options })).value;
    switch (random.below(7)) {
      case 0:
        assert.equal(await code(run('throw new RangeError(`thrown ${input}`)')), 'ERR_GUEST_ERROR');
        break;
      case 1:
        assert.equal(await code(run('for (;;);', { wallClockTimeoutMs: 5 })), 'ERR_CANCELLED');
        break;
      case 2:
        assert.equal(await code(run('function (')), 'ERR_COMPILE');
        break;
      case 3: {
        const modules = { m: 'let n = 0; export const add = (k) => (n += k);' };
        assert.equal(await run("import { add } from 'm'; export default add(input)", { modules }), input);
        break;
      }
      case 4: {
        const functions = { test: { answer } };
        const how = random.of(['now', 'later']);
        assert.equal(await run(`await test.answer({ how: '${how}', value: input })`, { functions }), input);
        break;
      }
      case 5:
        assert.equal(await code(run('1', { signal: AbortSignal.abort() })), 'ERR_CANCELLED');
        break;
      default:
        assert.equal(await run('globalThis.n = (globalThis.n ?? 0) + input'), input);
    }
  });
  await Promise.all(requests);
  await made.close();
}

/** A worker lives such a life too, and may be ended at any time. */
async function worker(world) {
  if (!isMainThread) return false;
  const workerData = { seed: world.random.below(1 << 30), steps: 1 + world.random.below(20) };
  const made = new Worker(new URL('./worker.mjs', import.meta.url), { workerData });
  const ended = new Promise((resolve, reject) => made.on('error', reject).on('exit', resolve));
  if (world.random.once(2)) {
    for (let turns = world.random.below(200); turns > 0; turns--) await turn();
    await made.terminate();
    await ended;
  } else {
    assert.equal(await ended, 0);
  }
}

/** Takes one out of a list. */
function take(random, list) {
  return list.length === 0 ? undefined : list.splice(random.below(list.length), 1)[0];
}
