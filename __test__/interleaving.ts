// One random order of what can happen to calls that wait, and what must hold of each of them.
import assert from 'node:assert/strict';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import {
  type CallHandlerOptions,
  hostCall,
  type LoadedJSSandbox,
  SandboxBuilder,
  type SandboxError,
  type Snapshot,
} from '@hyperlight/js-host-api';
import { Random } from './random';

/** A call of the handler, as the host knows it. */
interface Call {
  id: number;
  kind: string;
  /** Why it may be stopped: by all that was done since it was asked for. */
  mayBeCancelled: boolean;
  mayFail: boolean;
  mayBePoisoned: boolean;
  mayBeRefused: boolean;
  hasEnded: boolean;
  /** How. */
  outcome: string;
  signals: Set<AbortSignal>;
  stop: AbortController;
  end: Promise<void>;
}

/** A call of a host function that waits for its result. */
interface Gate {
  call: Call;
  resolve: (value: unknown) => void;
  reject: (reason: Error) => void;
}

/** A sandbox with its snapshot, and the gates that its host functions wait at. */
interface Used {
  loaded: LoadedJSSandbox;
  snapshot: Snapshot;
  gates: Gate[];
}

const KINDS = ['together', 'in turn', 'blocking', 'timer', 'left over', 'left timers', 'kept open', 'spin'];

// Each result says which call it is for, and every job asks whether that is the one that runs.
const SOURCE = `
  import { gate, wait } from 'host:gates';
  import { waitUntil } from 'hyperlight:context';
  let current = 0;
  export async function handler({ id, kind }) {
    current = id;
    const here = (what, of = id) => {
      if (current !== id || of !== id) throw new Error('violation: ' + what + ' of ' + of + ' and ' + id + ' in ' + current);
    };
    const pass = async (n) => {
      const result = await gate(id, n);
      here('a result', result.id);
      return result.n;
    };
    const timer = (ms) => new Promise((resolve) => setTimeout(() => { here('a timer'); resolve(); }, ms));
    switch (kind) {
      case 'together': return { id, results: await Promise.all([pass(0), pass(1), pass(2)]) };
      case 'in turn': return { id, results: [await pass(0), await pass(1)] };
      case 'blocking': { const result = wait(id, 0); here('a result', result.id); return { id, results: [result.n] }; }
      case 'timer': await timer(2); return { id, results: [] };
      case 'left over': pass(0).catch(() => {}); await timer(1); return { id, results: [] };
      case 'left timers': timer(1); setInterval(() => here('an interval'), 1); setImmediate(() => here('an immediate')); return { id, results: [] };
      case 'kept open': waitUntil(pass(0).catch(() => {})); return { id, results: [] };
      case 'spin': for (;;);
    }
  }
`;

/** Sandboxes for one interleaving after the other: the same, until it is disposed of. */
export class Sandboxes {
  /** How many calls have ended in which way. */
  readonly ends: Record<string, number> = {};
  #used: Used | undefined;
  #snapshot: Snapshot | undefined;
  #lastId = 0;

  nextId(): number {
    return ++this.#lastId;
  }

  async get(): Promise<Used> {
    if (this.#used && this.#used.loaded.status !== 'disposed') return this.#used;
    const gates: Gate[] = [];
    const pass = (id: number, n: number) => {
      const call: Call = hostCall()?.context ?? assert.fail('a host function without a call');
      assert.equal(call.id, id, 'a host function serves another call than its own');
      assert.ok(!call.hasEnded, 'a host function is called after the call');
      call.signals.add(hostCall()?.signal ?? assert.fail());
      return new Promise((resolve, reject) => gates.push({ call, resolve: () => resolve({ id, n }), reject }));
    };
    const builder = this.#snapshot ? SandboxBuilder.fromSnapshot(this.#snapshot) : new SandboxBuilder();
    const proto = await builder.build();
    proto.hostModule('gates').registerAsync('gate', pass).register('wait', pass);
    const sandbox = await proto.loadRuntime();
    if (!this.#snapshot) sandbox.addHandler('f', SOURCE);
    const loaded = await sandbox.getLoadedSandbox();
    this.#snapshot ??= await loaded.snapshot();
    this.#used = { loaded, snapshot: this.#snapshot, gates };
    return this.#used;
  }

  dispose(): void {
    this.#used?.loaded.dispose();
  }
}

/** One order of events. */
export class Interleaving {
  readonly #random: Random;
  readonly #sandboxes: Sandboxes;
  readonly #calls: Call[] = [];
  readonly #restores: Promise<void>[] = [];
  readonly #violations: unknown[] = [];

  constructor(seed: number, sandboxes: Sandboxes) {
    this.#random = new Random(seed);
    this.#sandboxes = sandboxes;
  }

  async run(): Promise<void> {
    const used = await this.#sandboxes.get();
    for (let steps = 3 + this.#random.below(12); steps > 0; steps--) await this.#step(used);
    await this.#endAll(used);
    await Promise.all(this.#restores);
    assert.deepEqual(this.#violations, []);
    if (used.loaded.status === 'disposed') return;
    // What has been left behind would come up in this one.
    await used.loaded.restore(used.snapshot);
    this.#begin(used, 'timer', {});
    const last = this.#calls.at(-1) ?? assert.fail();
    await last.end;
    assert.deepEqual([last.outcome, this.#violations], ['fulfilled', []]);
  }

  async #step(used: Used): Promise<void> {
    const random = this.#random;
    const open = this.#calls.filter(({ hasEnded }) => !hasEnded);
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        if (open.length >= 3) return;
        const kind = KINDS[random.below(KINDS.length)] ?? assert.fail();
        const options: CallHandlerOptions = {};
        if (kind === 'spin') options.cpuTimeoutMs = 1 + random.below(5);
        else if (random.once(4)) options.wallClockTimeoutMs = 1 + random.below(10);
        return this.#begin(used, kind, options);
      }
      case 4:
      case 5:
      case 6:
        return this.#settle(used.gates, random.once(3));
      case 7:
        if (!random.once(2)) return;
        // It means the oldest call, whichever that is by now.
        for (const call of open) call.mayBeCancelled = true;
        used.loaded.interruptHandle.kill();
        return;
      case 8: {
        const call = open[random.below(open.length)];
        if (!call) return;
        call.mayBeCancelled = true;
        call.stop.abort();
        return;
      }
      case 9:
        this.#restores.push(
          used.loaded.restore(used.snapshot).catch(({ code }: SandboxError) => assert.equal(code, 'ERR_CONSUMED')),
        );
        return;
      case 10:
        if (!random.once(4)) return;
        for (const call of open) call.mayBeCancelled = call.mayBeRefused = true;
        used.loaded.dispose();
        return;
      case 11:
        return sleep(random.below(3));
      default:
        return turn();
    }
  }

  #begin({ loaded }: Used, kind: string, options: CallHandlerOptions): void {
    const call = {
      id: this.#sandboxes.nextId(),
      kind,
      mayBeCancelled: kind === 'spin' || options.wallClockTimeoutMs !== undefined,
      mayFail: false,
      // By a call before it that was stopped.
      mayBePoisoned: loaded.poisoned || this.#calls.some(({ mayBeCancelled }) => mayBeCancelled),
      mayBeRefused: loaded.status === 'disposed',
      hasEnded: false,
      signals: new Set(),
      stop: new AbortController(),
    } as unknown as Call;
    const promise = loaded.callHandler(
      'f',
      { id: call.id, kind },
      { ...options, context: call, signal: call.stop.signal },
    );
    call.end = promise.then(
      (value) => this.#check(call, 'fulfilled', value),
      (error) => this.#check(call, error.code, error),
    );
    // Those behind it are poisoned by it, too.
    this.#calls.push(call);
  }

  /** A call has ended. */
  #check(call: Call, end: string, outcome: unknown): void {
    call.hasEnded = true;
    call.outcome = end;
    this.#sandboxes.ends[end] = (this.#sandboxes.ends[end] ?? 0) + 1;
    const stopped = this.#calls.some((other) => other.id < call.id && other.mayBeCancelled);
    try {
      for (const signal of call.signals) assert.ok(signal.aborted, 'the signal outlives the call');
      const isAllowed: Record<string, boolean> = {
        fulfilled: true,
        ERR_CANCELLED: call.mayBeCancelled,
        ERR_CONSUMED: call.mayBeRefused,
        ERR_POISONED: call.mayBePoisoned || stopped,
        ERR_GUEST_ERROR: call.mayFail,
      };
      assert.ok(isAllowed[end], `a call may not end so: ${end}`);
      if (end === 'fulfilled') {
        const expected: Record<string, number[]> = { together: [0, 1, 2], 'in turn': [0, 1], blocking: [0] };
        assert.deepEqual(outcome, { id: call.id, results: expected[call.kind] ?? [] });
      } else if (end === 'ERR_GUEST_ERROR') {
        assert.equal((outcome as { guestMessage: string }).guestMessage, 'as told');
      }
    } catch (error) {
      this.#violations.push(error, call.kind, outcome);
    }
  }

  /** One of the host functions has its result, in time or not. */
  #settle(gates: Gate[], fails: boolean): void {
    const [gate] = gates.splice(this.#random.below(Math.max(gates.length, 1)), 1);
    if (!gate) return;
    if (fails) {
      gate.call.mayFail = true;
      gate.reject(new Error('as told'));
    } else gate.resolve(undefined);
  }

  /** Lets all calls go on until they have ended. */
  async #endAll(used: Used): Promise<void> {
    let isOver = false;
    const all = Promise.all(this.#calls.map(({ end }) => end)).then(() => (isOver = true));
    const begun = performance.now();
    while (!isOver) {
      this.#settle(used.gates, false);
      await turn();
      if (performance.now() - begun > 60_000) {
        const open = this.#calls.filter(({ hasEnded }) => !hasEnded).map(({ id, kind }) => `${id} ${kind}`);
        assert.fail(`calls do not end: ${open}`);
      }
    }
    await all;
    // Whatever nobody waits for any more is settled as well.
    while (used.gates.length > 0) this.#settle(used.gates, false);
  }
}
