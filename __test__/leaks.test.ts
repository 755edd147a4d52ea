import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type JSSandbox, type LoadedJSSandbox, type ProtoJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { collect, collectUntil, type Held, held, until, virtualMachines } from './memory';
import { loadBody, loadWithHost, rejection, runProgram, start } from './sandbox';

type Callback = () => unknown;

const USES_BOTH = "import { f } from 'host:test'; function handler() { console.log('line'); return f(); }";
/** Gives a guest 4 MiB to hold. */
const FILL = "globalThis.all = 'x'.repeat(4 << 20);";
const FILL_SIZE = 4 << 20;

async function proto(print: Callback, host: Callback): Promise<ProtoJSSandbox> {
  const proto = await new SandboxBuilder().setHostPrintFn(print).build();
  proto.register('test', 'f', host);
  return proto;
}

async function unloaded(print: Callback, host: Callback): Promise<JSSandbox> {
  const sandbox = await (await proto(print, host)).loadRuntime();
  sandbox.addHandler('f', USES_BOTH);
  return sandbox;
}

async function used(print: Callback, host: Callback): Promise<LoadedJSSandbox> {
  const loaded = await (await unloaded(print, host)).getLoadedSandbox();
  await loaded.callHandler('f', {});
  return loaded;
}

/** Runs something in a frame of its own, which holds no more of it afterwards than it tracks. */
async function tracked(run: (track: <T extends object>(object: T) => T) => Promise<unknown>): Promise<() => number> {
  const references: WeakRef<object>[] = [];
  await run((object) => {
    references.push(new WeakRef(object));
    return object;
  });
  assert.notEqual(references.length, 0);
  return () => references.filter((reference) => reference.deref() !== undefined).length;
}

const makers: Record<string, (print: Callback, host: Callback) => Promise<object>> = {
  'a builder': async (print, host) => new SandboxBuilder().setHostPrintFn(() => [print(), host()]),
  'a ProtoJSSandbox': proto,
  'a HostModule': async (print, host) => (await proto(print, host)).hostModule('other'),
  'a JSSandbox': unloaded,
  'a LoadedJSSandbox': used,
  'what unload() gives': async (print, host) => (await used(print, host)).unload(),
  'a Snapshot': async (print, host) => (await used(print, host)).snapshot(),
  'an InterruptHandle': async (print, host) => (await used(print, host)).interruptHandle,
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name} that nobody holds is collected, with the virtual machine and the callbacks`, async () => {
    const before = virtualMachines();
    const left = await tracked(async (track) => {
      track(
        await make(
          track(() => {}),
          track(() => {}),
        ),
      );
    });
    assert.ok(await collectUntil(() => left() === 0 && virtualMachines() <= before), `${left()} objects are left`);
  });
}

test('what a sandbox has given away or been made of keeps neither it nor its callbacks', async () => {
  const before = virtualMachines();
  const kept: object[] = [];
  const keep = <T extends object>(object: T) => {
    kept.push(object);
    return object;
  };
  const left = await tracked(async (track) => {
    const builder = keep(new SandboxBuilder());
    const proto = keep(await builder.setHostPrintFn(track(() => {})).build());
    keep(
      proto.hostModule('test').register(
        'f',
        track(() => {}),
      ),
    );
    const sandbox = keep(await proto.loadRuntime());
    sandbox.addHandler('f', USES_BOTH);
    const loaded = track(await sandbox.getLoadedSandbox());
    await loaded.callHandler('f', {});
    keep(await loaded.snapshot());
    keep(loaded.interruptHandle);
    keep(loaded.lastCallStats ?? assert.fail('no statistics'));
  });
  assert.ok(await collectUntil(() => left() === 0 && virtualMachines() <= before), `${left()} objects are left`);
  assert.equal(kept.length, 7);
});

test('a disposed sandbox is collected though its callbacks refer to it', async () => {
  const left = await tracked(async (track) => {
    let loaded: LoadedJSSandbox | undefined;
    loaded = track(
      await used(
        track(() => loaded?.poisoned),
        track(() => loaded?.poisoned),
      ),
    );
    loaded.dispose();
  });
  assert.ok(await collectUntil(() => left() === 0), `${left()} objects are left`);
});

test('memory and virtual machines of sandboxes that nobody holds come back', async () => {
  const before = await settled();
  const left = await tracked(async (track) => {
    const sandboxes = await Promise.all(Array.from({ length: 10 }, () => loadBody(FILL)));
    for (const loaded of sandboxes) await track(loaded).callHandler('f', {});
    assert.ok(held().resident - before.resident > 10 * FILL_SIZE);
    assert.equal(virtualMachines(), before.virtualMachines + 10);
  });
  assert.ok(await collectUntil(() => left() === 0 && hasComeBack(before)), JSON.stringify([left(), before, held()]));
});

test('dispose() gives memory and virtual machines back while the objects are still held', async () => {
  const before = await settled();
  const loaded = await Promise.all(Array.from({ length: 10 }, () => loadBody(FILL)));
  for (const sandbox of loaded) await sandbox.callHandler('f', {});
  assert.ok(held().resident - before.resident > 10 * FILL_SIZE);
  const unloaded = await Promise.all(loaded.slice(5).map((sandbox) => sandbox.unload()));
  assert.equal(virtualMachines(), before.virtualMachines + 10);
  for (const sandbox of [...loaded, ...unloaded]) sandbox.dispose();
  assert.ok(await until(() => hasComeBack(before)), JSON.stringify([before, held()]));
  assert.ok([...loaded, ...unloaded].every((sandbox) => !sandbox.poisoned));
});

test('restore() and unload() give back the memory that a guest has taken', async () => {
  const sandboxes = await Promise.all(Array.from({ length: 10 }, () => loadBody(FILL)));
  const snapshots = await Promise.all(sandboxes.map((loaded) => loaded.snapshot()));
  const fill = async () => {
    for (const loaded of sandboxes) await loaded.callHandler('f', {});
    return held();
  };
  // What is kept to be used again is there after the first round.
  await fill();
  for (const [i, loaded] of sandboxes.entries()) await loaded.restore(snapshots[i] ?? assert.fail());
  const empty = await settled();
  const hasComeBack = () => {
    collect();
    return held().resident - empty.resident < (10 * FILL_SIZE) / 4;
  };
  assert.ok((await fill()).resident - empty.resident > (10 * FILL_SIZE) / 2);
  for (const [i, loaded] of sandboxes.entries()) await loaded.restore(snapshots[i] ?? assert.fail());
  assert.ok(await until(hasComeBack), `${held().resident - empty.resident} bytes are left`);
  assert.ok((await fill()).resident - empty.resident > (10 * FILL_SIZE) / 2);
  const unloaded = await Promise.all(sandboxes.map((loaded) => loaded.unload()));
  assert.ok(await until(hasComeBack), `${held().resident - empty.resident} bytes are left`);
  for (const sandbox of unloaded) sandbox.dispose();
});

/** What is held when all that tests before this one have dropped is gone. */
async function settled(): Promise<Held> {
  await collectUntil(() => false, 20);
  return held();
}

/** Whether the memory of ten sandboxes that have each been filled once is back, but for what is kept to be used again. */
function hasComeBack(before: Held): boolean {
  const now = held();
  return (
    now.virtualMachines === before.virtualMachines &&
    now.files <= before.files &&
    now.resident - before.resident < (10 * FILL_SIZE) / 4
  );
}

const PAYLOAD = 256 << 10;
const ROUNDS = 20;

/**
 * What is done in each round, with a text of its own, and what is done to go on after it. `size` is what a round would
 * leave behind at least if it left anything.
 */
interface Repeated {
  round(text: string, track: <T extends object>(object: T) => T): Promise<unknown>;
  after?(): Promise<unknown>;
  size?: number;
}

/** The error of a guest whose host function fails with this text, cut as texts of guests are. */
async function failure(call: Promise<unknown>, text: string): Promise<unknown> {
  const error = await rejection('ERR_GUEST_ERROR', call);
  assert.equal(error.guestName, 'HostFunctionError');
  assert.ok(error.guestMessage && text.startsWith(error.guestMessage));
  return error;
}

const repeated: Record<string, () => Promise<Repeated>> = {
  'sources that do not compile': async () => {
    const sandbox = await start();
    return {
      round: (text) => {
        sandbox.clearHandlers();
        sandbox.addHandler('f', `(/* ${text} */`);
        return rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
      },
    };
  },
  'handlers that throw': async () => {
    const loaded = await loadBody('throw new Error(event);');
    return { round: (text) => rejection('ERR_GUEST_ERROR', loaded.callHandler('f', text)) };
  },
  'signals, each of one call': async () => {
    const loaded = await loadBody('return 1;');
    return {
      round: async (text, track) => {
        const { signal } = track(Object.assign(new AbortController(), { text }));
        await loaded.callHandler('f', 1, { signal });
      },
    };
  },
  'events that are refused': async () => {
    const loaded = await loadBody('');
    return { round: (text) => rejection('ERR_INVALID_ARG', loaded.callHandler('f', { text, number: 1n })) };
  },
  'events that are too large': async () => {
    const loaded = await loadBody('');
    return { round: (text) => rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', text.repeat(5))) };
  },
  'calls that a timeout stops': async () => {
    const loaded = await loadBody('for (;;);');
    const snapshot = await loaded.snapshot();
    return {
      round: (text) => rejection('ERR_CANCELLED', loaded.callHandler('f', text, { wallClockTimeoutMs: 1 })),
      after: () => loaded.restore(snapshot),
    };
  },
  'calls that kill() stops': async () => {
    let begun = () => {};
    const loaded = await loadWithHost({ begin: () => begun() }, 'host.begin(); for (;;);');
    const snapshot = await loaded.snapshot();
    return {
      round: (text) => {
        begun = () => loaded.interruptHandle.kill();
        return rejection('ERR_CANCELLED', loaded.callHandler('f', text));
      },
      after: () => loaded.restore(snapshot),
    };
  },
  'calls of a poisoned sandbox': async () => {
    const loaded = await loadBody('for (;;);');
    await rejection('ERR_CANCELLED', loaded.callHandler('f', {}, { wallClockTimeoutMs: 1 }));
    return { round: (text) => rejection('ERR_POISONED', loaded.callHandler('f', text)) };
  },
  'calls that dispose() stops or refuses': async () => ({
    round: async (text, track) => {
      const loaded = track(await loadBody('for (;;);'));
      const calls = [loaded.callHandler('f', text), loaded.callHandler('f', text)];
      loaded.dispose();
      const results = await Promise.allSettled(calls);
      assert.ok(results.every(({ status }) => status === 'rejected'));
    },
  }),
  'host functions that throw': async () => {
    const fail = (text: string) => {
      throw new Error(text);
    };
    const loaded = await loadWithHost({ fail }, 'host.fail(event);');
    return { round: (text) => failure(loaded.callHandler('f', text), text) };
  },
  'host functions that reject': async () => {
    const fail = (text: string) => Promise.reject(new Error(text));
    const loaded = await loadWithHost({ fail }, 'host.fail(event);');
    return { round: (text) => failure(loaded.callHandler('f', text), text) };
  },
  'host functions that never settle': async () => {
    let wait: (text: string) => Promise<unknown>;
    const loaded = await loadWithHost({ wait: (text: string) => wait(text) }, 'host.wait(event);');
    const snapshot = await loaded.snapshot();
    return {
      round: (text, track) => {
        wait = (text) => {
          loaded.interruptHandle.kill();
          return track(Object.assign(new Promise(() => {}), { text }));
        };
        return rejection('ERR_CANCELLED', loaded.callHandler('f', text));
      },
      after: () => loaded.restore(snapshot),
    };
  },
  'calls that are refused in a host function': async () => {
    const again = (text: string) => rejection('ERR_REENTRANT', loaded.callHandler('f', text)).then(() => 'refused');
    const loaded: LoadedJSSandbox = await loadWithHost({ again }, 'return host.again(event);');
    return { round: async (text) => assert.equal(await loaded.callHandler('f', text), 'refused') };
  },
  'snapshots that do not fit': async () => {
    const snapshot = await (await loadWithHost({ f: () => {} }, '')).snapshot();
    const loaded = await loadBody('');
    return {
      round: (text) => rejection('ERR_INVALID_ARG', loaded.restore(Object.assign(snapshot, { text }))),
    };
  },
  'lines of the console': async () => {
    const sandbox = await unloadedWithPrint((text) => void text.length);
    sandbox.addHandler('f', 'function handler(event) { for (let i = 0; i < 16; i++) console.log(event); }');
    const loaded = await sandbox.getLoadedSandbox();
    return { round: (text) => loaded.callHandler('f', text) };
  },
  'snapshots that nobody holds': async () => {
    const loaded = await loadBody(FILL);
    return {
      round: async (_, track) => {
        await loaded.callHandler('f', {});
        track(await loaded.snapshot());
      },
      size: FILL_SIZE,
    };
  },
  'snapshots that are disposed of': async () => {
    const loaded = await loadBody(FILL);
    const kept: object[] = [];
    return {
      round: async () => {
        await loaded.callHandler('f', {});
        const snapshot = await loaded.snapshot();
        kept.push(snapshot);
        snapshot.dispose();
      },
      size: FILL_SIZE,
    };
  },
};

async function unloadedWithPrint(print: (text: string) => void): Promise<JSSandbox> {
  const proto = await new SandboxBuilder().setHostPrintFn((_, text) => print(text)).build();
  return proto.loadRuntime();
}

for (const [name, make] of Object.entries(repeated)) {
  test(`${name} leave nothing behind`, async () => {
    const { round, after, size = PAYLOAD } = await make();
    const batch = async (): Promise<Held> => {
      const before = virtualMachines();
      const left = await tracked(async (track) => {
        for (let i = 0; i < ROUNDS; i++) {
          const promise = track(round(String(i).padEnd(PAYLOAD, 'x'), track));
          const error = await promise;
          if (typeof error === 'object' && error) track(error);
          await after?.();
        }
      });
      assert.ok(await collectUntil(() => left() === 0 && virtualMachines() <= before), `${left()} objects are left`);
      return held();
    };
    // The first batch loads, compiles and caches. What is kept to be used again does not grow with every batch after it,
    // as a leak does.
    const first = await batch();
    let growth = '';
    for (let batches = 1; batches <= 6; batches++) {
      const now = await batch();
      const grown = (['resident', 'heapUsed', 'external'] as const).map((kind) => now[kind] - first[kind]);
      if (now.files <= first.files && grown.every((bytes) => bytes < (batches * ROUNDS * size) / 2)) return;
      growth = `resident, heap and external memory by ${grown.join(', ')} bytes, files by ${now.files - first.files}`;
    }
    assert.fail(`in 6 times ${ROUNDS} rounds with ${size} bytes each there is growth: ${growth}`);
  });
}

test('a sandbox that is collected while its guest waits for a host function still ends its call', async () => {
  const before = await settled();
  let answer: ((value: string) => void) | undefined;
  const wait = () =>
    new Promise<string>((resolve) => {
      answer = resolve;
    });
  let call: Promise<unknown> | undefined;
  const left = await tracked(async (track) => {
    const loaded = track(await loadWithHost({ wait }, 'return host.wait();'));
    call = loaded.callHandler('f', {});
  });
  assert.ok(await collectUntil(() => left() === 0 && answer !== undefined));
  assert.equal(virtualMachines(), before.virtualMachines + 1);
  answer?.('answered');
  assert.equal(await call, 'answered');
  assert.ok(await collectUntil(() => virtualMachines() === before.virtualMachines));
});

test('a sandbox whose host function can never answer is collected with its call', async () => {
  const before = await settled();
  const left = await tracked(async (track) => {
    const loaded = track(await loadWithHost({ wait: () => track(new Promise(() => {})) }, 'return host.wait();'));
    track(loaded.callHandler('f', {})).catch(() => {});
  });
  const isGone = () => left() === 0 && virtualMachines() === before.virtualMachines;
  assert.ok(await collectUntil(isGone), `${left()} objects are left`);
});

test('collecting garbage all the time does no harm to what is under way', async () => {
  const before = virtualMachines();
  const timer = setInterval(collect, 1);
  const left = await tracked(async (track) => {
    for (let i = 0; i < 5; i++) {
      const sandbox = await (await (await new SandboxBuilder().build()).loadRuntime()).getLoadedSandbox();
      const unloaded = await sandbox.unload();
      unloaded.addHandler('f', 'let n = 0; async function handler() { return ++n; }');
      const loaded = track(await unloaded.getLoadedSandbox());
      await loaded.restore(await loaded.snapshot());
      assert.deepEqual(await Promise.all([1, 2].map(() => loaded.callHandler('f', {}))), [1, 2]);
    }
  });
  assert.ok(await collectUntil(() => left() === 0 && virtualMachines() <= before), `${left()} objects are left`);
  clearInterval(timer);
});

const STAGES = `
  (async () => {
    const { SandboxBuilder } = require('@hyperlight/js-host-api');
    globalThis.kept = [new SandboxBuilder().setHostPrintFn(() => {})];
    const proto = await new SandboxBuilder().setHostPrintFn(() => {}).build();
    proto.register('test', 'never', () => new Promise((resolve) => kept.push(resolve)));
    const loaded = await sandboxes.loadBody('return event;');
    const waiting = await sandboxes.loadWithHost({ never: () => new Promise((_) => kept.push(_)) }, 'host.never();');
    kept.push(proto, await sandboxes.start(), loaded, await loaded.snapshot(), loaded.interruptHandle, waiting);
    await loaded.callHandler('f', {});
`;

test('the virtual machines of a worker are given back when it ends', async () => {
  const before = await settled();
  for (const end of ['', "waiting.callHandler('f', {}); process.exit();"]) {
    const program = `const sandboxes = require(${JSON.stringify(join(__dirname, 'sandbox.js'))}); ${STAGES} ${end} })();`;
    const worker = new Worker(program, { eval: true });
    assert.deepEqual(await once(worker, 'exit'), [0]);
    assert.ok(await until(() => virtualMachines() === before.virtualMachines), `${virtualMachines()} are left`);
  }
});

const endings: Record<string, string> = {
  'with sandboxes that nobody has disposed of': '',
  'with sandboxes that were just collected': 'kept = []; gc();',
  'at once when sandboxes have been disposed of': "waiting.callHandler('f', {}).catch(() => {}); waiting.dispose();",
  'while sandboxes are started': 'sandboxes.start(); sandboxes.loadBody(""); process.exit();',
  'while a sandbox is unloaded': 'loaded.unload(); process.exit();',
  'while a snapshot is taken and restored': 'loaded.snapshot(); loaded.restore(kept[4]); process.exit();',
  'while a sandbox is torn down': "waiting.callHandler('f', {}); waiting.dispose(); process.exit();",
  'while a collected sandbox waits': "waiting.callHandler('f', {}); kept.pop(); gc(); setTimeout(process.exit, 20);",
};

for (const [when, program] of Object.entries(endings)) {
  test(`a process exits cleanly ${when}`, async () => {
    await runProgram(`${STAGES} ${program} })();`, '--expose-gc', '--unhandled-rejections=strict');
  });
}
