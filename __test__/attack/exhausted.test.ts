// A process that can open no more files, or map no more memory: no sandbox can be made, which the error says, those that there
// are go on and can be stopped, and all is as before when there is enough again. What threads are to it, starved.test.ts shows.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const MIB = 2 ** 20;
const skip = process.platform !== 'linux';

class Exhausted {
  readonly #child: ChildProcess;

  constructor(t: TestContext) {
    this.#child = fork(join(__dirname, 'exhausted-process.js'));
    t.after(() => this.#child.kill('SIGKILL'));
  }

  /** The next thing that it says: it must not end before. */
  async answer(): Promise<unknown> {
    const ended = new AbortController();
    const [message] = await Promise.race([
      once(this.#child, 'message', { signal: ended.signal }),
      once(this.#child, 'exit', { signal: ended.signal }).then((how) => assert.fail(`it has ended: ${how}`)),
    ]);
    ended.abort();
    return message;
  }

  tell(command: string): Promise<unknown> {
    this.#child.send(command);
    return this.answer();
  }

  /** Sets a limit of `setrlimit`. */
  limit(resource: string, value: number | string): void {
    execFileSync('prlimit', ['--pid', String(this.#child.pid), `--${resource}=${value}:`]);
  }

  /** The numbers of its open files. */
  openFiles(): number[] {
    return readdirSync(`/proc/${this.#child.pid}/fd`).map(Number);
  }

  addressSpace(): number {
    const [, kilobytes] = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8').match(/^VmSize:\s+(\d+) kB$/m) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** What it has must work whatever it lacks. */
  async goesOn(): Promise<void> {
    assert.equal(await this.tell('use'), 1);
    assert.equal(await this.tell('be stopped by a timeout'), 'ERR_CANCELLED');
    assert.equal(await this.tell('be stopped by kill()'), 'ERR_CANCELLED');
    assert.equal(await this.tell('use'), 1);
  }
}

test('without file descriptors no sandbox is made, and those that there are go on', { skip }, async (t) => {
  const process = new Exhausted(t);
  await process.answer();
  const { length } = process.openFiles();
  const highest = Math.max(...process.openFiles());
  // What a sandbox has can be given back and taken again, and no more than that.
  process.limit('nofile', highest + 1);
  await process.goesOn();
  // However far it gets with a new one, it says the same. There are gaps in the numbers, so that it gets on sooner.
  let limit = 10;
  for (; limit < highest + 50; limit++) {
    process.limit('nofile', limit);
    const answer = await process.tell('make');
    if (answer === 1) break;
    assert.equal(answer, 'ERR_INTERNAL', `with a limit of ${limit}`);
    assert.equal(process.openFiles().length, length, `with a limit of ${limit}`);
  }
  assert.ok(limit > 10 && limit < highest + 50);
  assert.equal(await process.tell('make'), 1);
  await process.goesOn();
});

test('without address space no sandbox is made, and those that there are go on', { skip }, async (t) => {
  const process = new Exhausted(t);
  await process.answer();
  for (let round = 0; round < 3; round++) {
    // Enough for Node.js itself, and not for the memory of a guest.
    process.limit('as', process.addressSpace() + 12 * MIB);
    assert.equal(await process.tell('make'), 'ERR_INTERNAL');
    await process.goesOn();
    process.limit('as', 'unlimited');
    assert.equal(await process.tell('make'), 1);
    await process.goesOn();
  }
});
