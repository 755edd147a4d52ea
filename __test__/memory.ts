// What the process holds, for the tests that look for leaks.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects garbage. */
export const collect: () => void = runInNewContext('gc');

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The one that the folder was read through.
      return [];
    }
  });
}

/** Virtual machines that this process has. */
export function virtualMachines(): number {
  return openFiles().filter((name) => name === 'anon_inode:kvm-vm').length;
}

/** What the process holds, in numbers that must not grow. */
export interface Held {
  resident: number;
  heapUsed: number;
  external: number;
  files: number;
  virtualMachines: number;
}

export function held(): Held {
  const [, resident] = readFileSync('/proc/self/status', 'utf8').match(/^VmRSS:\s+(\d+) kB$/m) ?? [];
  const { heapUsed, external } = process.memoryUsage();
  return {
    resident: Number(resident) * 1024,
    heapUsed,
    external,
    files: openFiles().length,
    virtualMachines: virtualMachines(),
  };
}

/** Waits until this holds, or for so long that it never will; gives which of both. */
export async function until(holds: () => boolean, attempts = 600): Promise<boolean> {
  for (let i = 0; i < attempts; i++) {
    if (holds()) return true;
    await sleep(5);
  }
  return false;
}

/** As `until`, collecting garbage. Finalisers run between the turns of the event loop. */
export function collectUntil(holds: () => boolean, attempts?: number): Promise<boolean> {
  return until(() => {
    collect();
    return holds();
  }, attempts);
}
