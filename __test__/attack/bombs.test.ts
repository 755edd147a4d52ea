// Whatever a guest does to have no end or no limit, its call ends, and the sandbox works again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { rejection } from '../sandbox';
import { bombs } from './bombs';
import { assertData, assertPlainError } from './host';

const MIB = 2 ** 20;

/** A sandbox with these handlers and one that counts its calls. Its heap is small, so that it is filled soon. */
async function loadBombs(bodies: Record<string, string>): Promise<LoadedJSSandbox> {
  const proto = await new SandboxBuilder()
    .setHeapSize(4 * MIB)
    .setHostPrintFn(() => {})
    .build();
  const sandbox = await proto.loadRuntime();
  for (const [name, body] of Object.entries(bodies)) sandbox.addHandler(name, `function handler(event) { ${body} }`);
  sandbox.addHandler('count', 'let n = 0; function handler() { return ++n; }');
  return sandbox.getLoadedSandbox();
}

for (const [kind, { endless }] of Object.entries(bombs)) {
  if (!endless) continue;
  test(`${kind}: what has no end is stopped`, async () => {
    const loaded = await loadBombs(endless);
    const snapshot = await loaded.snapshot();
    for (const name of Object.keys(endless)) {
      for (const limits of [{ wallClockTimeoutMs: 100 }, { cpuTimeoutMs: 50 }]) {
        try {
          await rejection('ERR_CANCELLED', loaded.callHandler(name, {}, limits));
          assert.equal(loaded.poisoned, true);
          await loaded.restore(snapshot);
          assert.equal(await loaded.callHandler('count', {}), 1);
        } catch (error) {
          throw new Error(`${name}, with ${Object.keys(limits)}`, { cause: error });
        }
      }
    }
  });
}

for (const [kind, { ending }] of Object.entries(bombs)) {
  test(`${kind}: what ends by itself costs its call and nothing else`, async () => {
    const loaded = await loadBombs(ending);
    const snapshot = await loaded.snapshot();
    for (const name of Object.keys(ending)) {
      try {
        const [outcome] = await Promise.allSettled([loaded.callHandler(name, {}, { wallClockTimeoutMs: 120_000 })]);
        if (outcome.status === 'fulfilled') assertData(outcome.value);
        else assertPlainError(outcome.reason, 'ERR_GUEST_ERROR');
        assert.equal(loaded.poisoned, false);
        assert.equal(await loaded.callHandler('count', {}), 1);
        await loaded.restore(snapshot);
      } catch (error) {
        throw new Error(name, { cause: error });
      }
    }
  });
}
