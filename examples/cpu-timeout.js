// Both limits at once: processor time for code that computes, and the clock for code that waits. The first to be reached
// stops the call.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();
protoSandbox.register('network', 'fetch', () => new Promise(() => {})); // a server that never answers

const jsSandbox = await protoSandbox.loadRuntime();
jsSandbox.addHandler('quick', 'function handler() { return [3, 1, 2].sort(); }');
jsSandbox.addHandler('compute', 'function handler() { for (;;); }');
jsSandbox.addHandler('wait', "import { fetch } from 'host:network'; function handler() { return fetch(); }");

const loadedSandbox = await jsSandbox.getLoadedSandbox();
const snapshot = await loadedSandbox.snapshot();

for (const name of ['quick', 'compute', 'wait']) {
  try {
    const result = await loadedSandbox.callHandler(name, {}, { wallClockTimeoutMs: 2000, cpuTimeoutMs: 500 });
    console.log(`${name}:`, result);
  } catch (error) {
    console.log(`${name}: ${error.code}, stopped by ${loadedSandbox.lastCallStats.terminatedBy}`);
    await loadedSandbox.restore(snapshot);
  }
}
