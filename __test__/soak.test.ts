import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadedJSSandbox, SandboxBuilder, type Snapshot } from '@hyperlight/js-host-api';
import { collectUntil, type Held, held, until, virtualMachines } from './memory';
import { rejection } from './sandbox';

const SANDBOXES = 50;
const CALLS = Number(process.env.SOAK_CALLS ?? 1000);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32));
const CHECKPOINTS = 5;
/** Less than what a virtual machine or a snapshot takes, for each sandbox. */
const RESIDENT_GROWTH_MAX = SANDBOXES << 20;
const HEAP_GROWTH_MAX = 4 << 20;

const HANDLER = `
  import * as host from 'host:test';
  let count = 0;
  function handler({ act, value }) {
    count++;
    switch (act) {
      case 'return': return { count, value };
      case 'call': return { count, value: host.same(value) };
      case 'wait': return { count, value: host.later(value) };
      case 'catch': try { host.fail(value); } catch (error) { return { count, value: error.message }; }
      case 'print': console.log(value); console.error(value); return { count, value };
      case 'throw': throw new RangeError(value);
      case 'spin': for (;;);
    }
  }
`;

/** Numbers below a limit, the same for the same seed. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** A sandbox and what is expected of it. */
class Subject {
  calls = 0;
  private count = 0;
  private saved = 0;
  private lines: string[] = [];
  private loaded!: LoadedJSSandbox;
  private snapshot!: Snapshot;

  async start(): Promise<this> {
    const print = (level: string, text: string) => void this.lines.push(`${level} ${text}`);
    const proto = await new SandboxBuilder().setHostPrintFn(print).build();
    const fail = (text: string) => {
      throw new Error(text);
    };
    const later = (value: string) => new Promise((resolve) => setImmediate(resolve, value));
    const module = proto.hostModule('test').register('same', (value: string) => value);
    module.register('later', later).register('fail', fail);
    await this.load(await proto.loadRuntime());
    return this;
  }

  private async load(sandbox: Awaited<ReturnType<LoadedJSSandbox['unload']>>): Promise<void> {
    sandbox.addHandler('f', HANDLER);
    this.loaded = await sandbox.getLoadedSandbox();
    this.count = 0;
    await this.save();
  }

  private call(act: string, value: string, options?: { wallClockTimeoutMs: number }): Promise<unknown> {
    this.calls++;
    this.count++;
    return this.loaded.callHandler('f', { act, value }, options);
  }

  /** Calls that give back what they were given. */
  async answer(act: string, value: string): Promise<void> {
    assert.deepEqual(await this.call(act, value), { count: this.count, value });
  }

  async print(value: string): Promise<void> {
    await this.answer('print', value);
    assert.deepEqual(this.lines.splice(0), [`info ${value}`, `error ${value}`]);
  }

  async throw(value: string): Promise<void> {
    const { guestName, guestMessage } = await rejection('ERR_GUEST_ERROR', this.call('throw', value));
    assert.deepEqual([guestName, guestMessage], ['RangeError', value]);
  }

  async together(value: string): Promise<void> {
    const acts = ['return', 'wait', 'call', 'return'];
    const first = this.count + 1;
    const results = await Promise.all(acts.map((act) => this.call(act, value)));
    assert.deepEqual(
      results,
      acts.map((_, i) => ({ count: first + i, value })),
    );
  }

  async poison(value: string): Promise<void> {
    await rejection('ERR_CANCELLED', this.call('spin', value, { wallClockTimeoutMs: 1 }));
    await rejection('ERR_POISONED', this.call('return', value));
    await this.restore();
  }

  async save(): Promise<void> {
    this.snapshot?.dispose();
    this.snapshot = await this.loaded.snapshot();
    this.saved = this.count;
  }

  async restore(): Promise<void> {
    await this.loaded.restore(this.snapshot);
    this.count = this.saved;
  }

  async reload(): Promise<void> {
    await this.load(await this.loaded.unload());
  }

  dispose(): void {
    this.loaded.dispose();
    this.snapshot.dispose();
  }
}

type Act = (subject: Subject, value: string) => Promise<void>;

const ANSWERS = ['return', 'call', 'wait', 'catch'].map(
  (act): Act =>
    (subject, value) =>
      subject.answer(act, value),
);
const ACTS: Act[] = [
  ...[...ANSWERS, ...ANSWERS, ...ANSWERS],
  ...([(subject, value) => subject.print(value), (subject, value) => subject.throw(value)] satisfies Act[]),
  (subject, value) => subject.together(value),
  (subject, value) => subject.poison(value),
  (subject) => subject.save(),
  (subject) => subject.restore(),
  (subject) => subject.reload(),
];

test(`${SANDBOXES} sandboxes do what they should, call after call, and hold no more memory for it`, async () => {
  const random = numbers(SEED);
  const subjects = await Promise.all(Array.from({ length: SANDBOXES }, () => new Subject().start()));
  const pick = <T>(list: T[]): T => list[random(list.length)] as T;
  const calls = () => subjects.reduce((sum, subject) => sum + subject.calls, 0);
  const checkpoints: Held[] = [];
  try {
    while (checkpoints.length < CHECKPOINTS) {
      while (calls() < (CALLS * (checkpoints.length + 1)) / CHECKPOINTS) {
        // Different sandboxes side by side.
        const chosen = [...new Set(Array.from({ length: 10 }, () => pick(subjects)))];
        const all = chosen.map((subject) => pick(ACTS)(subject, String(random(2 ** 32)).repeat(random(100) + 1)));
        await Promise.all(all);
      }
      // One state each: a sandbox keeps that in which it began as well as its newest snapshot.
      for (const subject of subjects) {
        await subject.save();
        await subject.restore();
      }
      await collectUntil(() => false, 10);
      checkpoints.push(held());
    }
    const [first, ...later] = checkpoints as [Held, ...Held[]];
    // In the first part memory is taken that is used again later.
    for (const now of later) {
      assert.equal(now.virtualMachines, SANDBOXES);
      assert.ok(now.files <= first.files, JSON.stringify(checkpoints));
      assert.ok(now.resident - first.resident < RESIDENT_GROWTH_MAX, JSON.stringify(checkpoints));
      assert.ok(now.heapUsed - first.heapUsed < HEAP_GROWTH_MAX, JSON.stringify(checkpoints));
      assert.ok(now.external - first.external < HEAP_GROWTH_MAX, JSON.stringify(checkpoints));
    }
    for (const subject of subjects) subject.dispose();
    assert.ok(await until(() => virtualMachines() === 0));
  } catch (error) {
    throw new Error(`repeat this with SOAK_SEED=${SEED} SOAK_CALLS=${CALLS}`, { cause: error });
  }
});
