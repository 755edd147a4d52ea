import type { CodeModeOptions } from './options.js';

export type { CodeModeOptions };

/** The `Executor` of `@cloudflare/codemode`. */
export interface CodemodeExecutor {
  /** Resolves to an `error` instead of rejecting. */
  execute(
    code: string,
    providers:
      | { name: string; fns: Record<string, (...args: unknown[]) => Promise<unknown>>; prelude?: string }[]
      | Record<string, (...args: unknown[]) => Promise<unknown>>,
    options?: { connectors?: unknown[] },
  ): Promise<{ result: unknown; error?: string; logs?: string[] }>;
}

export declare function codemodeExecutor(options?: CodeModeOptions): CodemodeExecutor;
