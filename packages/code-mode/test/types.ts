// Compiled by the tests, not run: the adapters fit the interfaces of the libraries.
import type { Executor } from '@cloudflare/codemode';
import { codeTool } from '@hyperlight/code-mode/ai-sdk';
import { codemodeExecutor } from '@hyperlight/code-mode/cloudflare';
import { codeModeTransport } from '@hyperlight/code-mode/mastra';
import { isolateDriver } from '@hyperlight/code-mode/tanstack-ai';
import { SandboxPool } from '@hyperlight/js-host-api';
import type { CodeModeTransport } from '@mastra/core/tools';
import type { IsolateDriver } from '@tanstack/ai-code-mode';
import { type ToolSet, tool } from 'ai';
import { z } from 'zod';

export const executor: Executor = codemodeExecutor({ timeoutMs: 1 });
export const driver: IsolateDriver = isolateDriver({ pool: new SandboxPool({ size: 1 }) });
export const transport: CodeModeTransport = codeModeTransport();
const find = tool({ inputSchema: z.object({ id: z.number() }), execute: async ({ id }) => id });
export const tools: ToolSet = { code: codeTool({ find }) };
// @ts-expect-error: there is no such option
codeTool({ find }, { timeout: 1 });
