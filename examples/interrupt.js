// A handler that takes too long is stopped, by a timeout or by hand, and a snapshot brings its sandbox back.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();
const jsSandbox = await protoSandbox.loadRuntime();
jsSandbox.addHandler(
  'work',
  `
  function handler({ milliseconds }) {
    const end = Date.now() + milliseconds;
    while (Date.now() < end);
    return 'done';
  }
`,
);
const loadedSandbox = await jsSandbox.getLoadedSandbox();
const snapshot = await loadedSandbox.snapshot();

async function work(milliseconds, options) {
  try {
    console.log('result:', await loadedSandbox.callHandler('work', { milliseconds }, options));
  } catch (error) {
    if (error.code !== 'ERR_CANCELLED') throw error;
    const { terminatedBy, wallClockMs } = loadedSandbox.lastCallStats;
    const after = wallClockMs < milliseconds ? 'before its end' : 'too late';
    console.log(`stopped ${after} by ${terminatedBy ?? 'kill()'}; the sandbox is ${loadedSandbox.status}`);
    await loadedSandbox.restore(snapshot);
    console.log(`restored; the sandbox is ${loadedSandbox.status}`);
  }
}

await work(10, { wallClockTimeoutMs: 1000 });
await work(4000, { wallClockTimeoutMs: 1000 });

// By hand: from a timer here; a signal handler or any other event can do it as well.
const { interruptHandle } = loadedSandbox;
const timer = setTimeout(() => interruptHandle.kill(), 500);
await work(4000);
clearTimeout(timer);
