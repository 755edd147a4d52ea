// biome-ignore-all lint/suspicious/noExplicitAny: the tools say what their inputs are
import type { CodeModeOptions } from './options.js';

export type { CodeModeOptions };

/** A tool as `tool()` of the AI SDK makes it. */
export interface CallableTool {
  description?: any;
  inputSchema?: any;
  outputSchema?: any;
  needsApproval?: any;
  execute?: any;
}

export interface CodeResult {
  /** The value of the program. */
  result?: unknown;
  /** Lines of its console, if there were any. */
  console?: string[];
  /** Why it has no value. */
  error?: { name: string; message: string; line?: number };
}

export interface CodeTool {
  description: string;
  inputSchema: {
    readonly '~standard': {
      readonly version: 1;
      readonly vendor: string;
      readonly validate: (value: unknown) => Promise<{ value: { code: string } } | { issues: { message: string }[] }>;
      readonly jsonSchema: {
        readonly input: (options?: unknown) => Record<string, unknown>;
        readonly output: (options?: unknown) => Record<string, unknown>;
      };
      readonly types?: { readonly input: { code: string }; readonly output: { code: string } };
    };
  };
  execute(input: { code: string }, options?: any): Promise<CodeResult>;
}

/**
 * A tool whose input is a program that calls `tools.name(input)`. Tools without `execute`, and those with
 * `needsApproval`, are left out.
 */
export declare function codeTool(tools: Record<string, CallableTool>, options?: CodeModeOptions): CodeTool;
