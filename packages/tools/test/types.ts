// Compiled by the tests, not run: the types accept what the package does.
import type { RunOptions } from '@hyperlight/js-host-api';
import { type DescribedTool, describe, ToolInputError } from '@hyperlight/tools';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

const description = describe({
  db: {
    find: {
      description: 'Finds',
      inputSchema: z.object({ id: z.number() }),
      execute: async ({ id }: { id: number }) => id,
    },
    list: v.object({ limit: v.number() }),
    count: { inputSchema: type({ of: 'string' }) },
    add: (a: number, b: number) => a + b,
    schema: { type: 'object', properties: { id: { type: 'number' } } },
  },
  github: [{ name: 'create-issue', inputSchema: { type: 'object' } }],
});
export const options: RunOptions = { functions: description.functions };
export const text: string = description.declare(description.search('issue', { limit: 1 }));
export const tool: DescribedTool | undefined = description.find('db.find');
export const code: 'ERR_TOOL_INPUT' | undefined = new Error() instanceof ToolInputError ? 'ERR_TOOL_INPUT' : undefined;
describe([{ name: 'a' }], { module: 'm', under: 'tools', call: (tool, input) => [tool.originalName, input] });
// @ts-expect-error: a tool is no number
describe({ db: { find: 7 } });
// @ts-expect-error: there is no such option
describe([], { modul: 'm' });
