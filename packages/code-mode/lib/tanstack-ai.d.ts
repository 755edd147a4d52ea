import type { CodeModeOptions } from './options.js';

export type { CodeModeOptions };

/** The `IsolateDriver` of `@tanstack/ai-code-mode`. */
export interface IsolateDriver {
  createContext(config: {
    // biome-ignore lint/suspicious/noExplicitAny: the binding says what it takes
    bindings: Record<string, { execute: (args: any, context?: any) => Promise<unknown> }>;
    timeout?: number;
    memoryLimit?: number;
  }): Promise<{
    execute<T = unknown>(
      code: string,
    ): Promise<{
      success: boolean;
      value?: T;
      error?: { name: string; message: string; stack?: string; code?: string };
      logs?: string[];
    }>;
    dispose(): Promise<void>;
  }>;
}

export declare function isolateDriver(options?: CodeModeOptions): IsolateDriver;
