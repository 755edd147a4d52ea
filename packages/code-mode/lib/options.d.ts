import type { SandboxPool } from '@hyperlight/js-host-api';

/** Options of all adapters. */
export interface CodeModeOptions {
  /** Where programs run. Default: the pool of `run()`. */
  pool?: SandboxPool;
  /** Time of a program in milliseconds, waiting for tools included, if the code mode names none. Default: 30,000. */
  timeoutMs?: number;
  /** Processor time of a program in milliseconds. Default: no limit but `timeoutMs`. */
  cpuTimeoutMs?: number;
  /** Bytes of memory of a program, as in `RunOptions`. Default: the heap of the pool's sandboxes. */
  memoryLimitBytes?: number;
  /** Calls of tools by a program, as `maxHostCalls` in `RunOptions`. Default: 100,000. */
  maxToolCalls?: number;
  /** Bytes of the console of a program, as in `RunOptions`. Default: 65,536. */
  maxConsoleBytes?: number;
}
