// Guests that await: asynchronous host functions in flight, timers, signals.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadedJSSandbox, type ProtoJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { never } from './sandbox';

async function load(code: string, register: (proto: ProtoJSSandbox) => void = () => {}): Promise<LoadedJSSandbox> {
  const proto = await new SandboxBuilder().build();
  register(proto);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('handler', code);
  return sandbox.getLoadedSandbox();
}

/** The code of what a promise is rejected with. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: { code?: string }) => error.code,
  );
}

/** A promise, and the functions that settle it. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

test('all calls of asynchronous host functions are at work at the same time', async () => {
  // None of them is settled before all have come.
  const all = deferred<void>();
  let count = 0;
  const sandbox = await load(
    `import { double } from 'host:math';
     async function handler(count) { return Promise.all(Array.from({ length: count }, (_, i) => double(i))); }`,
    (proto) =>
      proto.hostModule('math').registerAsync('double', async (number: number) => {
        count += 1;
        if (count === 100) all.resolve();
        await all.promise;
        return number * 2;
      }),
  );
  const doubled = Array.from({ length: 100 }, (_, i) => 2 * i);
  assert.deepEqual(await sandbox.callHandler('handler', 100), doubled);
  sandbox.dispose();
});

test('no more than sixteen callbacks come before the microtasks that they cause', async () => {
  let [calls, together, most] = [0, 0, 0];
  const sandbox = await load(
    `import { count } from 'host:calls';
     async function handler() { return (await Promise.all(Array.from({ length: 100 }, () => count()))).length; }`,
    (proto) =>
      proto.hostModule('calls').registerAsync('count', () => {
        calls += 1;
        together += 1;
        queueMicrotask(() => {
          most = Math.max(most, together);
          together = 0;
        });
      }),
  );
  assert.equal(await sandbox.callHandler('handler', null), 100);
  assert.equal(calls, 100);
  assert.ok(most >= 1 && most <= 16, `${most} at a time`);
  sandbox.dispose();
});

test('the callback may be a plain function, and gives and takes bytes', async () => {
  const sandbox = await load(
    `import { reverse, nothing } from 'host:bytes';
     async function handler(bytes) {
       const promise = reverse(bytes);
       return [promise instanceof Promise, await promise, typeof await nothing()];
     }`,
    (proto) => {
      proto.registerAsync('bytes', 'reverse', (bytes: Uint8Array) => Uint8Array.from(bytes).reverse());
      proto.registerAsync('bytes', 'nothing', () => undefined);
    },
  );
  assert.deepEqual(await sandbox.callHandler('handler', Uint8Array.of(1, 2, 3)), [
    true,
    Uint8Array.of(3, 2, 1),
    'undefined',
  ]);
  sandbox.dispose();
});

test('promises settle in the order of the host', async () => {
  const gates = [deferred<string>(), deferred<string>(), deferred<string>()];
  const sandbox = await load(
    `import { gate } from 'host:gates';
     async function handler() {
       const order = [];
       await Promise.all([0, 1, 2].map(async (i) => order.push(await gate(i))));
       return order;
     }`,
    (proto) => proto.registerAsync('gates', 'gate', (i: number) => gates[i]?.promise),
  );
  const result = sandbox.callHandler('handler', null);
  for (const i of [2, 0, 1]) {
    gates[i]?.resolve(`gate ${i}`);
    await sleep(20);
  }
  assert.deepEqual(await result, ['gate 2', 'gate 0', 'gate 1']);
  sandbox.dispose();
});

test('what the callback throws or rejects with rejects the promise', async () => {
  const sandbox = await load(
    `import { fail, reject, cycle } from 'host:host';
     async function handler() {
       const results = await Promise.allSettled([fail(), reject(), cycle()]);
       return results.map(({ reason }) => [reason instanceof HostFunctionError, reason.hostName, reason.message]);
     }`,
    (proto) => {
      const module = proto.hostModule('host');
      module.registerAsync('fail', () => {
        throw new RangeError('thrown');
      });
      module.registerAsync('reject', async () => {
        throw new TypeError('rejected');
      });
      module.registerAsync('cycle', () => {
        const cycle: { self?: unknown } = {};
        cycle.self = cycle;
        return cycle;
      });
    },
  );
  const results = await sandbox.callHandler('handler', null);
  assert.deepEqual(results.slice(0, 2), [
    [true, 'RangeError', 'thrown'],
    [true, 'TypeError', 'rejected'],
  ]);
  assert.deepEqual(results[2].slice(0, 2), [true, 'TypeError']);
  sandbox.dispose();
});

test('Promise.race, async iteration and a queue of a few at a time work', async () => {
  let [now, most] = [0, 0];
  const sandbox = await load(
    `import { work, never } from 'host:host';
     async function* all(count) { for (let i = 0; i < count; i++) yield await work(i); }
     async function handler() {
       const first = await Promise.race([never(), work('first')]);
       const iterated = [];
       for await (const value of all(3)) iterated.push(value);
       const queue = Array.from({ length: 20 }, (_, i) => i), done = [];
       const worker = async () => { while (queue.length > 0) done.push(await work(queue.shift())); };
       await Promise.all([worker(), worker(), worker(), worker(), worker()]);
       return { first, iterated, done: done.sort((a, b) => a - b) };
     }`,
    (proto) => {
      proto.registerAsync('host', 'never', never);
      proto.registerAsync('host', 'work', async (value: unknown) => {
        now += 1;
        most = Math.max(most, now);
        await sleep(2);
        now -= 1;
        return value;
      });
    },
  );
  const { first, iterated, done } = await sandbox.callHandler('handler', null);
  assert.deepEqual([first, iterated, done], ['first', [0, 1, 2], Array.from({ length: 20 }, (_, i) => i)]);
  assert.ok(most > 1 && most <= 6, `${most} at a time`);
  sandbox.dispose();
});

test('a guest waits for timers, and its event loop goes on meanwhile', async () => {
  const sandbox = await load(`
    async function handler(ms) {
      const began = Date.now();
      let ticks = 0;
      const interval = setInterval(() => ticks++, 1);
      await new Promise((resolve) => setTimeout(resolve, ms));
      clearInterval(interval);
      return { waited: Date.now() - began, ticks };
    }`);
  const { waited, ticks } = await sandbox.callHandler('handler', 50);
  assert.ok(waited >= 49 && ticks > 0, `${waited} ms, ${ticks} ticks`);
  sandbox.dispose();
});

test('a call that waits is stopped by a timeout, by kill() and by dispose()', async () => {
  let waits = deferred<void>();
  const sandbox = await load(
    `import { never } from 'host:host'; async function handler() { await never(); }`,
    (proto) =>
      proto.registerAsync('host', 'never', () => {
        waits.resolve();
        return never();
      }),
  );
  const snapshot = await sandbox.snapshot();
  assert.equal(await codeOf(sandbox.callHandler('handler', null, { wallClockTimeoutMs: 30 })), 'ERR_CANCELLED');
  assert.equal(sandbox.lastCallStats?.terminatedBy, 'wall-clock');
  assert.equal(sandbox.status, 'poisoned');
  await sandbox.restore(snapshot);
  waits = deferred();
  const killed = sandbox.callHandler('handler', null);
  await waits.promise;
  sandbox.interruptHandle.kill();
  assert.equal(await codeOf(killed), 'ERR_CANCELLED');
  await sandbox.restore(snapshot);
  waits = deferred();
  const disposed = sandbox.callHandler('handler', null);
  await waits.promise;
  sandbox.dispose();
  assert.equal(await codeOf(disposed), 'ERR_CANCELLED');
});

test('what comes too late reaches no later call', async () => {
  const late = deferred<string>();
  const sandbox = await load(
    `import { late } from 'host:host';
     let seen = [];
     async function handler(event) {
       if (event === 'start') { late().then((value) => seen.push(value), (error) => seen.push(error)); setTimeout(() => seen.push('timer'), 1); return 'started'; }
       await new Promise((resolve) => setTimeout(resolve, 30));
       return seen;
     }`,
    (proto) => proto.registerAsync('host', 'late', () => late.promise),
  );
  assert.equal(await sandbox.callHandler('handler', 'start'), 'started');
  const seen = sandbox.callHandler('handler', 'look');
  late.resolve('late');
  assert.deepEqual(await seen, []);
  sandbox.dispose();
});

test('during an asynchronous callback its own sandbox cannot be used', async () => {
  const codes: unknown[] = [];
  const sandbox = await load(
    `import { again } from 'host:host'; async function handler() { await Promise.all([again(), again()]); return 'done'; }`,
    (proto) =>
      proto.registerAsync('host', 'again', async () => {
        await null;
        codes.push(await codeOf(sandbox.callHandler('handler', null)));
      }),
  );
  assert.equal(await sandbox.callHandler('handler', null, { wallClockTimeoutMs: 20_000 }), 'done');
  assert.deepEqual(codes, ['ERR_REENTRANT', 'ERR_REENTRANT']);
  sandbox.dispose();
});

test('waitUntil keeps a call open after its result is known', async () => {
  const events: string[] = [];
  const sandbox = await load(
    `import { waitUntil } from 'hyperlight:context';
     import { record } from 'host:audit';
     export function handler(what) {
       waitUntil(record(what).then(() => record('again')));
       if (what === 'throws') throw new RangeError('as told');
       return { accepted: what };
     }`,
    (proto) =>
      proto.registerAsync('audit', 'record', async (what: string) => {
        await sleep(5);
        events.push(what);
      }),
  );
  assert.deepEqual(await sandbox.callHandler('handler', 'order'), { accepted: 'order' });
  assert.deepEqual(events, ['order', 'again']);
  await assert.rejects(sandbox.callHandler('handler', 'throws'), { code: 'ERR_GUEST_ERROR', guestName: 'RangeError' });
  assert.deepEqual(events, ['order', 'again', 'throws', 'again']);
  sandbox.dispose();
});

test('rejections that nobody handles are lines of the console, or fail the call', async () => {
  const lines: string[] = [];
  const proto = await new SandboxBuilder()
    .setHostPrintFn((level, text) => lines.push(`${level} ${text.split('\n')[0]}`))
    .build();
  const sandbox = await proto.loadRuntime();
  const lost = "Promise.reject(new TypeError('lost'));";
  sandbox.addHandler('handler', `${lost} function handler(event) { ${lost} return event; }`);
  for (const wrong of ['throw', '', 1, null, true]) {
    const options = { unhandledRejections: wrong as 'warn' };
    await assert.rejects(sandbox.getLoadedSandbox(options), { code: 'ERR_INVALID_ARG' });
  }
  const failed = sandbox.getLoadedSandbox({ unhandledRejections: 'error' });
  await assert.rejects(failed, { code: 'ERR_COMPILE', file: 'handler', line: 1 });
  const loaded = await sandbox.getLoadedSandbox();
  for (const wrong of ['throw', '', 1, null, true]) {
    const options = { unhandledRejections: wrong as 'warn' };
    await assert.rejects(loaded.callHandler('handler', 1, options), { code: 'ERR_INVALID_ARG' });
  }
  assert.equal(await loaded.callHandler('handler', 1), 1);
  assert.equal(await loaded.callHandler('handler', 2, { unhandledRejections: 'warn' }), 2);
  const strict = loaded.callHandler('handler', 3, { unhandledRejections: 'error' });
  await assert.rejects(strict, { code: 'ERR_GUEST_ERROR', guestName: 'TypeError', guestMessage: 'lost' });
  assert.equal(await loaded.callHandler('handler', 4), 4);
  assert.deepEqual(lines, Array(4).fill('error Unhandled rejection: TypeError: lost'));
  loaded.dispose();
});

test('a module that awaits is waited for, and what it leaves behind is dropped', async () => {
  const late: unknown[] = [];
  const sandbox = await load(
    `import { get, note } from 'host:config';
     const [a, b] = await Promise.all([get('a'), get('b')]);
     await new Promise((resolve) => setTimeout(resolve, 1));
     setTimeout(note, 1, 'a timer');
     get('c').then(note);
     export async function handler(ms) {
       await new Promise((resolve) => setTimeout(resolve, ms));
       return [a, b];
     }`,
    (proto) =>
      proto
        .hostModule('config')
        .registerAsync('get', async (key: string) => sleep(1, `${key}!`))
        .register('note', (what) => void late.push(what)),
  );
  assert.deepEqual(await sandbox.callHandler('handler', 20), ['a!', 'b!']);
  assert.deepEqual(late, []);
  sandbox.dispose();
});

test('an evaluation that waits is stopped by a timeout, a signal and kill(), and can be tried again', async () => {
  const proto = await new SandboxBuilder().build();
  let begun = deferred<void>();
  let result: unknown = new Promise(() => {});
  proto.registerAsync('host', 'wait', () => {
    begun.resolve();
    return result;
  });
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'handler',
    "import { wait } from 'host:host'; const x = await wait(); function handler() { return x; }",
  );
  const timedOut = sandbox.getLoadedSandbox({ wallClockTimeoutMs: 20 });
  await assert.rejects(timedOut, { code: 'ERR_CANCELLED', terminatedBy: 'wall-clock' });
  begun = deferred();
  const controller = new AbortController();
  const aborted = sandbox.getLoadedSandbox({ signal: controller.signal });
  await begun.promise;
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(aborted, { code: 'ERR_CANCELLED', cause: reason });
  begun = deferred();
  const killed = sandbox.getLoadedSandbox();
  await begun.promise;
  sandbox.interruptHandle.kill();
  await assert.rejects(killed, { code: 'ERR_CANCELLED' });
  result = 'at last';
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('handler', null), 'at last');
  loaded.dispose();
});

test('an evaluation that waits for what can never come fails at once', async () => {
  const failed = load('await new Promise(() => {});\nfunction handler() {}');
  await assert.rejects(failed, { code: 'ERR_COMPILE', message: /never be settled/, file: 'handler' });
});

test('a callback that is none, or a name that is none, is refused', async () => {
  const proto = await new SandboxBuilder().build();
  const module = proto.hostModule('host');
  assert.equal(
    module.registerAsync('f', () => 1),
    module,
  );
  for (const wrong of [undefined, 1, {}]) {
    assert.throws(() => module.registerAsync('f', wrong as never), { code: 'ERR_INVALID_ARG' });
    assert.throws(() => proto.registerAsync('host', wrong as never, () => 1), { code: 'ERR_INVALID_ARG' });
  }
  assert.throws(() => module.registerAsync('', () => 1), { code: 'ERR_INVALID_ARG' });
  await (await proto.loadRuntime()).dispose();
  assert.throws(() => module.registerAsync('g', () => 1), { code: 'ERR_CONSUMED' });
});

test('a worker thread that ends takes its waiting guests with it', async () => {
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(
    `const { SandboxBuilder } = require('@hyperlight/js-host-api');
     const { parentPort } = require('node:worker_threads');
     (async () => {
       const proto = await new SandboxBuilder().build();
       proto.registerAsync('host', 'never', () => { parentPort.postMessage('waits'); return new Promise(() => {}); });
       const sandbox = await proto.loadRuntime();
       sandbox.addHandler('handler', "import { never } from 'host:host'; async function handler() { await never(); }");
       await (await sandbox.getLoadedSandbox()).callHandler('handler', null);
     })();`,
    { eval: true },
  );
  assert.deepEqual(await once(worker, 'message'), ['waits']);
  assert.equal(await worker.terminate(), 1);
});
