import type { CodeModeOptions } from './options.js';

export type { CodeModeOptions };

/** The `CodeModeTransport` of `@mastra/core`. */
export interface CodeModeTransport {
  readonly requiresSandbox: false;
  run(options: {
    program: string;
    toolIds: string[];
    dispatch: (tool: string, args: unknown) => Promise<unknown>;
    timeout: number;
    abortSignal?: AbortSignal;
    onExternalCall?: (tool: string, args: unknown) => void;
    onExternalResult?: (tool: string, durationMs: number, error?: unknown) => void;
  }): Promise<{
    success: boolean;
    result?: unknown;
    logs?: string[];
    error?: { message: string; name?: string; line?: number };
  }>;
}

export declare function codeModeTransport(options?: CodeModeOptions): CodeModeTransport;
