// Sandboxes and what must be true of each: the objects of the addon beside the little that a program can know of them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What all handlers are made of. It counts its calls, and does what an event says. */
export const SOURCE = `
  import { answer } from 'host:test';
  let count = 0;
  async function handler(event) {
    count += 1;
    switch (event.do) {
      case 'throw': throw new RangeError('thrown ' + event.text);
      case 'spin': for (;;);
      case 'await': return await answer(event);
      case 'host': return answer(event);
      case 'large': return 'x'.repeat(event.size);
      case 'fill': globalThis.kept = new Array(event.size).fill(count); break;
      case 'never': await new Promise(() => {});
    }
    return { count, bytes: event.bytes ?? null };
  }
`;
export const HANDLER = 'handler';

/** Sizes that sandboxes are built with; snapshots fit those of the same. */
export const SETTINGS = [
  { heapSize: 4 << 20, bufferSize: 64 << 10 },
  { heapSize: 8 << 20, bufferSize: 16 << 10 },
];

/** A sandbox with its handlers loaded. */
export class Loaded {
  /** Whether a call was stopped since the last restore. */
  poisoned = false;
  /** Whether there has been a call. */
  called = false;

  constructor(object, settings, count) {
    Object.assign(this, { object, settings, count });
  }

  /** What can be seen from outside is what the model says. */
  check() {
    assert.equal(this.object.poisoned, this.poisoned);
    assert.equal(this.object.status, this.poisoned ? 'poisoned' : 'ready');
    assert.equal(this.object.lastCallStats !== null, this.called);
  }
}

/** A snapshot, and the count of calls in it. */
export class State {
  constructor(object, settings, count) {
    Object.assign(this, { object, settings, count });
  }
}

/** All that there is at a time. */
export class World {
  loaded = [];
  states = [];
  folder = mkdtempSync(join(tmpdir(), 'hyperlight-js-fuzz-'));

  constructor(addon, random) {
    Object.assign(this, { addon, random });
  }

  async build(settings) {
    const builder = new this.addon.SandboxBuilder()
      .setHeapSize(settings.heapSize)
      .setInputBufferSize(settings.bufferSize)
      .setOutputBufferSize(settings.bufferSize);
    return this.withHost(await builder.build());
  }

  /** Registers the host function. */
  withHost(proto) {
    proto.hostModule('test').register('answer', answer);
    return proto;
  }

  /** Gives all of it back. */
  async close() {
    const objects = [...this.loaded, ...this.states].map(({ object }) => object);
    for (const object of objects) object.dispose();
    rmSync(this.folder, { recursive: true, force: true });
    await Promise.all(objects.map((object) => object[Symbol.asyncDispose]()));
  }
}

/** What could still fulfil promises: of one that nothing could, the guest is told that there will be no result. */
export const unanswered = [];

/** The host function: it answers at once, later or never, or fails. */
export function answer({ how, value }) {
  switch (how) {
    case 'now':
      return value;
    case 'later':
      return new Promise((resolve) => setTimeout(resolve, 1, value));
    case 'throw':
      throw new TypeError(`failed ${value}`);
    case 'reject':
      return Promise.reject(new Error(`failed ${value}`));
    default:
      return new Promise((resolve) => unanswered.push(resolve));
  }
}

/** The code with which a promise rejects, which it must. */
export async function code(promise) {
  return (await failure(promise)).code;
}

/** What a promise rejects with, which it must. */
export async function failure(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  assert.fail(`it was fulfilled with ${JSON.stringify(value)}`);
}
