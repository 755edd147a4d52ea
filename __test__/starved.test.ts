// A process that can have no more threads: what runs can be stopped all the same, and what cannot begin says so.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE_MS } from './sandbox';

const IS_LINUX = process.platform === 'linux';
/** A user who has no other process: the limit is one of all processes of a user. */
const NOBODY_ELSE = '54321';
/** Root is not limited, so the program runs as somebody else, who may open /dev/kvm all the same. */
const AS_SOMEBODY_ELSE = [
  ...['setpriv', '--reuid', NOBODY_ELSE, '--regid', NOBODY_ELSE, '--clear-groups'],
  ...['--inh-caps=-all,+dac_override', '--ambient-caps=-all,+dac_override', '--'],
];
/** For others a namespace of their own, in which nothing else is counted. */
const IN_NAMESPACE = ['unshare', '--user'];

interface Message {
  limit?: number;
  told?: unknown;
}

/** What a scenario of `starved-process.ts` tells. */
function run(scenario: string): Promise<unknown> {
  const isRoot = process.getuid?.() === 0;
  const [program, ...args] = isRoot ? AS_SOMEBODY_ELSE : IN_NAMESPACE;
  const command = [...args, process.execPath, join(__dirname, 'starved-process.js'), scenario];
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, command, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      timeout: 2 * PATIENCE_MS,
    });
    let told: unknown;
    child.on('error', reject);
    child.on('message', (message: Message) => {
      if (message.limit === undefined) {
        told = message.told;
      } else {
        // Only who is the same user may do this without further rights.
        const prlimit = ['prlimit', '--pid', String(child.pid), `--nproc=${message.limit}:`];
        execFileSync('env', isRoot ? [...AS_SOMEBODY_ELSE, ...prlimit] : prlimit);
        child.send('done');
      }
    });
    child.on('close', (status, signal) => {
      if (status === 0 && told !== undefined) resolve(told);
      else reject(new Error(`the process has ended with ${status ?? signal}, and told ${JSON.stringify(told)}`));
    });
  });
}

test('without a thread to be had timeouts, kill() and dispose() stop what runs', { skip: !IS_LINUX }, async () => {
  assert.deepEqual(await run('what is to stop'), {
    'wall clock': 'ERR_CANCELLED',
    cpu: 'ERR_CANCELLED',
    kill: 'ERR_CANCELLED',
    echo: 'fulfilled',
    dispose: 'ERR_CANCELLED',
  });
});

test('a sandbox that cannot have its thread says so, costs no processor time, and can be had later', {
  skip: !IS_LINUX,
}, async () => {
  // On arm64 no thread is needed when a virtual machine is entered for the first time: it can be had at once, and once.
  const [starved, lifted] = process.arch === 'arm64' ? ['fulfilled', 'ERR_CONSUMED'] : ['ERR_NO_THREAD', 'fulfilled'];
  const expected = { starved, echo: 'fulfilled', lifted, isIdle: true };
  assert.deepEqual(await run('what is to begin'), expected);
});

test('the first sandbox of a process needs a thread that stops it', { skip: !IS_LINUX }, async () => {
  assert.deepEqual(await run('the first of all'), { starved: 'ERR_NO_THREAD', lifted: 'fulfilled' });
});

test('a pool goes on with the threads that there are', { skip: !IS_LINUX }, async () => {
  const expected = Array.from({ length: 12 }, (_, i) => (i % 3 ? 'fulfilled' : 'ERR_CANCELLED'));
  assert.deepEqual(await run('a pool'), expected);
});
