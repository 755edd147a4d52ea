/** A JSON schema, draft 2020-12; of an older draft with its `$schema`. */
export type JsonSchema = { readonly [keyword: string]: unknown } | boolean;

/** A schema of zod, Valibot, ArkType or another library with the interface of https://standardschema.dev. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    // biome-ignore lint/suspicious/noExplicitAny: each library has its own
    readonly validate: (value: any, ...more: any[]) => any;
  };
}

/** A tool, as the AI SDK has it too. */
export interface ToolDefinition {
  description?: string;
  title?: string;
  /** What the tool takes: one argument. Without it, it takes any. */
  inputSchema?: JsonSchema | StandardSchema | object;
  /** What the tool returns. It is shown, not checked. */
  outputSchema?: JsonSchema | StandardSchema | object;
  // biome-ignore lint/suspicious/noExplicitAny: the schema says what it is
  execute?: (input: any) => unknown;
}

/** A tool as an MCP server lists it. Its schemas are not trusted. */
export interface McpTool {
  name: string;
  title?: string;
  description?: string;
  inputSchema?: unknown;
  outputSchema?: unknown;
}

/** A function, the schema of an input, or a definition. */
// biome-ignore lint/suspicious/noExplicitAny: a function of any kind
export type Tool = ((...args: any[]) => unknown) | ToolDefinition | StandardSchema | JsonSchema;

/** Tools by module and name, or the list of an MCP server. */
export type Tools =
  | readonly McpTool[]
  | { readonly [module: string]: readonly McpTool[] | { readonly [name: string]: Tool } };

export interface DescribeOptions {
  /** The module of the tools, if they are a list. Default: `'tools'`. */
  module?: string;
  /** The name of an object that has the modules as its properties. Default: each module is a variable. */
  under?: string;
  /** Calls a tool that has no function of its own. The input has been checked. */
  call?: (tool: DescribedTool, input: unknown) => unknown;
}

/** A tool by the names that it has for a program. */
export interface DescribedTool {
  /** An identifier, made of `originalModule`. */
  readonly module: string;
  /** An identifier that no other tool of the module has, made of `originalName`. */
  readonly name: string;
  readonly originalModule: string;
  readonly originalName: string;
  /** How a program calls it: `db.find`. */
  readonly path: string;
  readonly description?: string;
  /** The call as one line of TypeScript. */
  readonly signature: string;
  /** The function for a program: it checks its arguments, then calls. */
  readonly execute?: (...args: unknown[]) => Promise<unknown>;
  /**
   * Resolves to the arguments as the schema has made them.
   *
   * - `ERR_TOOL_INPUT`: they are not what the tool takes; a `ToolInputError`.
   */
  check(args: unknown[]): Promise<unknown[]>;
}

export interface Description {
  readonly tools: readonly DescribedTool[];
  /** TypeScript of all tools, with comments, to be shown to a model. */
  readonly declarations: string;
  /** The option `functions` of `run()`. */
  readonly functions: Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>;
  /** The declarations of some of the tools. */
  declare(tools: readonly DescribedTool[]): string;
  /** The tool of a path. */
  find(path: string): DescribedTool | undefined;
  /** The tools that match the words best, at most `limit` of them (10). */
  search(query: string, options?: { limit?: number }): DescribedTool[];
}

/**
 * What a model is shown of tools, and the functions that it calls, which check their arguments.
 *
 * - `ERR_INVALID_ARG`: the tools or their schemas are none, or there are more than 10,000 of them.
 */
export declare function describe(tools: Tools, options?: DescribeOptions): Description;

/** A call whose arguments are not what the tool takes. The message says what is wrong, and how the tool is called. */
export declare class ToolInputError extends Error {
  readonly code: 'ERR_TOOL_INPUT';
  /** The tool's path. */
  readonly tool: string;
}
