// From tools, in any of their forms, to what a model is shown and what a program calls.
import { checkerOf, problemOfIssues, ToolInputError } from './check.js';
import { Identifiers } from './names.js';
import { isObject, reduce } from './schema.js';
import { search } from './search.js';
import { declareMethod, signature } from './typescript.js';

const MAX_TOOLS = 10_000;
/** Parts of a foreign schema times parts of a value: about 20 ms. */
const MAX_STEPS = 100_000;
const INDENT = '  ';
/** What makes an object the definition of a tool rather than a schema. */
const OF_TOOLS = ['execute', 'inputSchema', 'outputSchema'];

export function describe(source, { module = 'tools', under, call } = {}) {
  const modules = isToolList(source) ? { [module]: source } : source;
  if (!isObject(modules)) throw invalid('the tools must be an object of modules, or a list of tools with names');
  const tools = [];
  const moduleNames = new Identifiers({ variables: under === undefined });
  for (const originalModule of Object.keys(modules)) {
    const name = moduleNames.add(originalModule);
    const names = new Identifiers();
    for (const [originalName, entry] of entriesOf(modules[originalModule], originalModule)) {
      if (tools.length === MAX_TOOLS) throw invalid(`there are more than ${MAX_TOOLS} tools`);
      tools.push(
        new Tool({ module: name, name: names.add(originalName), originalModule, originalName, entry, under, call }),
      );
    }
  }
  return new Description(tools, under);
}

class Description {
  #under;
  #byPath;

  constructor(tools, under) {
    this.tools = tools;
    this.#under = under;
    this.#byPath = new Map(tools.map((tool) => [tool.path, tool]));
  }

  get declarations() {
    return this.declare(this.tools);
  }

  /** The declarations of some of the tools. */
  declare(tools) {
    const byModule = new Map();
    for (const tool of tools) {
      const members = byModule.get(tool.module);
      if (members) members.push(tool);
      else byModule.set(tool.module, [tool]);
    }
    const outer = this.#under === undefined ? '' : INDENT;
    const modules = [...byModule].map(([module, members]) => {
      const head = this.#under === undefined ? `declare const ${module}:` : `${outer}${module}:`;
      return [`${head} {`, ...members.map((tool) => tool.declare(outer + INDENT)), `${outer}};`].join('\n');
    });
    if (this.#under === undefined || modules.length === 0) return modules.join('\n');
    return [`declare const ${this.#under}: {`, ...modules, '};'].join('\n');
  }

  /** The tool that a program calls by this path. */
  find(path) {
    return this.#byPath.get(path);
  }

  search(query, options) {
    return search(this.tools, query, options);
  }

  /** For `run`: the tools that can be executed, by module and name. */
  get functions() {
    const functions = Object.create(null);
    for (const tool of this.tools.filter((tool) => tool.execute)) {
      functions[tool.module] ??= Object.create(null);
      functions[tool.module][tool.name] = tool.execute;
    }
    return functions;
  }
}

class Tool {
  #checker;
  #entry;

  constructor({ module, name, originalModule, originalName, entry, under, call }) {
    Object.assign(this, { module, name, originalModule, originalName });
    this.path = [...(under === undefined ? [] : [under]), module, name].join('.');
    this.description = textOf(entry.description) ?? textOf(entry.title);
    this.#entry = entry;
    this.inputSchema = entry.input === undefined ? undefined : reduce(jsonSchemaOf(entry.input, 'input') ?? true);
    this.outputSchema = entry.output === undefined ? undefined : reduce(jsonSchemaOf(entry.output, 'output') ?? true);
    // What is wrong with a schema of the program's own is said now; one from a server is as it is.
    if (!entry.isForeign) this.#prepare();
    const { execute = call && ((input) => call(this, input)) } = entry;
    if (execute) this.execute = async (...args) => execute(...(await this.check(args)));
  }

  /** The method as a line of TypeScript. */
  get signature() {
    return this.path.slice(0, -this.name.length) + signature(this.#parts());
  }

  declare(indent) {
    return declareMethod(this.#parts(), indent);
  }

  #parts() {
    const { name, description, inputSchema: input, outputSchema: output } = this;
    return { name, description, input, output };
  }

  /** Resolves to the arguments, as the schema has made them; rejects with what is wrong with them. */
  async check(args) {
    if (this.inputSchema === undefined) return args;
    if (args.length > 1) throw this.#wrong(`it takes one argument, an object, not ${args.length}`);
    // A call without arguments is one with none of its properties.
    const input = args.length === 0 || args[0] === undefined ? {} : args[0];
    const { problem, value } = await this.#prepare()(input);
    if (problem !== undefined) throw this.#wrong(problem);
    return [value];
  }

  #prepare() {
    this.#checker ??= checkerFor(this.#entry, this);
    return this.#checker;
  }

  #wrong(problem) {
    return new ToolInputError(this.path, problem, this.signature);
  }
}

/** A function from a value to what is wrong with it, or to the value that is right. */
function checkerFor({ input, isForeign }, { inputSchema, path }) {
  const standard = standardOf(input);
  if (standard) {
    return async (value) => {
      const result = await standard.validate(value);
      return result.issues ? { problem: problemOfIssues(result.issues) } : { value: result.value };
    };
  }
  if (inputSchema === undefined) return (value) => ({ value });
  // Only the reduced schema has a bounded cost. Of the program's own the whole one counts, with its patterns.
  const schema = isForeign ? inputSchema : (jsonSchemaOf(input) ?? true);
  if (typeof schema === 'boolean') return (value) => (schema ? { value } : { problem: 'nothing is allowed' });
  try {
    const check = checkerOf(schema);
    if (!isForeign) return (value) => ({ problem: check(value), value });
    const steps = sizeOf(schema);
    // What would take too long is left to its server.
    return (value) => ({ problem: steps * sizeOf(value) > MAX_STEPS ? undefined : check(value), value });
  } catch (error) {
    if (isForeign) return (value) => ({ value });
    throw invalid(`the schema of ${path}: ${error.message}`);
  }
}

/** The parts of a value; long texts count as several. */
function sizeOf(value) {
  let size = 0;
  const left = [value];
  while (left.length > 0 && size <= MAX_STEPS) {
    const part = left.pop();
    size += typeof part === 'string' ? 1 + part.length / 64 : 1;
    if (typeof part === 'object' && part !== null && !ArrayBuffer.isView(part)) {
      for (const key of Object.keys(part)) left.push(part[key]);
    }
  }
  return size;
}

/** The tools of a module by their names, with their definitions in one form. */
function entriesOf(module, name) {
  if (isToolList(module)) {
    return module.map((tool) => {
      const { description, title, inputSchema, outputSchema } = tool;
      return [tool.name, { description, title, input: inputSchema ?? true, output: outputSchema, isForeign: true }];
    });
  }
  if (!isObject(module)) throw invalid(`the module ${name} must be an object of tools, or a list of tools with names`);
  return Object.keys(module).map((key) => [key, entryOf(module[key], `${name}.${key}`)]);
}

function entryOf(tool, path) {
  if (standardOf(tool)) return { input: tool };
  if (typeof tool === 'function') return { execute: tool };
  if (!isObject(tool)) throw invalid(`the tool ${path} must be a function, a schema, or an object with an inputSchema`);
  if (!OF_TOOLS.some((key) => tool[key] !== undefined)) return { input: tool, description: tool.description };
  const { description, title, inputSchema, outputSchema, execute } = tool;
  if (execute !== undefined && typeof execute !== 'function') throw invalid(`execute of ${path} must be a function`);
  for (const schema of [inputSchema, outputSchema]) {
    if (schema !== undefined && typeof schema !== 'boolean' && !isObject(schema) && !standardOf(schema)) {
      throw invalid(`a schema of ${path} must be a JSON schema or a standard schema`);
    }
  }
  return { description, title, input: inputSchema, output: outputSchema, execute: execute?.bind(tool) };
}

function isToolList(value) {
  return Array.isArray(value) && value.every((tool) => isObject(tool) && typeof tool.name === 'string');
}

/** What zod, Valibot, ArkType and others have in common. */
function standardOf(schema) {
  const standard = schema?.['~standard'];
  return typeof standard?.validate === 'function' ? standard : undefined;
}

/** `undefined` if the library does not say. */
function jsonSchemaOf(schema, direction) {
  const standard = standardOf(schema);
  if (!standard) {
    // The AI SDK has schemas of its own, some of which are still to be loaded.
    const inner = isObject(schema) ? schema.jsonSchema : undefined;
    if (!isObject(inner)) return schema;
    return typeof inner.then === 'function' ? undefined : inner;
  }
  try {
    return standard.jsonSchema?.[direction]({ target: 'draft-2020-12' });
  } catch {
    // What JSON has no schema for can still be checked.
    return undefined;
  }
}

function textOf(value) {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function invalid(message) {
  return Object.assign(new Error(message), { code: 'ERR_INVALID_ARG' });
}
