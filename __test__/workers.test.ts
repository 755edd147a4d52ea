import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { collectUntil, until, virtualMachines } from './memory';
import { loadBody, PATIENCE_MS } from './sandbox';

const run = promisify(execFile);
const WORKER = join(__dirname, 'worker.js');

function spin(milliseconds: number): Worker {
  return new Worker(WORKER, { workerData: milliseconds });
}

test('worker threads use sandboxes of their own side by side', async () => {
  const results = await Promise.all(
    [10, 20, 30].map(async (milliseconds) => {
      const worker = spin(milliseconds);
      const messages: unknown[] = [];
      worker.on('message', (message) => messages.push(message));
      assert.deepEqual(await once(worker, 'exit'), [0]);
      return messages;
    }),
  );
  assert.deepEqual(results, [
    ['calling', 10],
    ['calling', 20],
    ['calling', 30],
  ]);
});

test('a worker can be terminated during a call, and the other threads go on', async () => {
  const loaded = await loadBody('return event;');
  const before = virtualMachines();
  for (let i = 0; i < 5; i++) {
    const worker = spin(200);
    await once(worker, 'message');
    await worker.terminate();
    assert.equal(await loaded.callHandler('f', i), i);
  }
  // The calls of the terminated workers end meanwhile, with nobody to tell.
  assert.ok(await until(() => virtualMachines() <= before));
  assert.equal(await loaded.callHandler('f', 'done'), 'done');
});

test('a process whose only user of the addon was a terminated worker exits cleanly', async () => {
  const program = `
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(WORKER)}, { workerData: 60_000 });
    worker.once('message', async () => {
      await worker.terminate();
      console.log('terminated');
    });
  `;
  const { stdout, stderr } = await run(process.execPath, ['-e', program], { timeout: PATIENCE_MS });
  assert.equal(stdout, 'terminated\n');
  assert.equal(stderr, '');
});

test('a process can exit during a call', async () => {
  const program = `
    const { Lines, loadWithLines } = require(${JSON.stringify(join(__dirname, 'sandbox.js'))});
    const lines = new Lines();
    loadWithLines(lines, { f: 'for (;;);' }).then(async (loaded) => {
      loaded.callHandler('f', {});
      await lines.next();
      process.exit(7);
    });
  `;
  await assert.rejects(
    run(process.execPath, ['-e', program], { timeout: PATIENCE_MS }),
    (error: { code?: unknown }) => {
      assert.equal(error.code, 7, String(error));
      return true;
    },
  );
});

test('the calls of a terminated worker are stopped', async () => {
  assert.ok(await collectUntil(() => virtualMachines() === 0));
  const worker = spin(600_000);
  await once(worker, 'message');
  assert.equal(virtualMachines(), 1);
  await worker.terminate();
  // A virtual machine goes when its thread has come back from it, so none is left that runs.
  assert.ok(await until(() => virtualMachines() === 0));
});

test('a worker can be terminated while its guest writes to a callback of the worker', async () => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { SandboxBuilder } = require('@hyperlight/js-host-api');
    (async () => {
      const proto = await new SandboxBuilder().setHostPrintFn((level, text) => parentPort.postMessage(text)).build();
      const sandbox = await proto.loadRuntime();
      sandbox.addHandler('f', "function handler() { for (;;) console.log('line'); }");
      const loaded = await sandbox.getLoadedSandbox();
      await loaded.callHandler('f', {});
    })();
  `;
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(program, { eval: true });
    assert.deepEqual(await once(worker, 'message'), ['line']);
    await worker.terminate();
  }
  const loaded = await loadBody('return event;');
  assert.equal(await loaded.callHandler('f', 'still here'), 'still here');
});
