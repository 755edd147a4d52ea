import type { SandboxPool } from '@hyperlight/js-host-api';

/** Options of all adapters. */
export interface CodeModeOptions {
  /** Where programs run. Default: the pool of `run()`. Its sandboxes set how much memory a program has. */
  pool?: SandboxPool;
  /** Time of a program in milliseconds, waiting for tools included, if the code mode names none. Default: 30,000. */
  timeoutMs?: number;
  /** Processor time of a program in milliseconds. Default: no limit but `timeoutMs`. */
  cpuTimeoutMs?: number;
  /** Bytes of the console of a program, as in `RunOptions`. Default: 65,536. */
  maxConsoleBytes?: number;
}
