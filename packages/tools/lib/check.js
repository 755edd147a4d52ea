// Checks of what a tool is called with. What is wrong is said so that a model can mend its call.
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import { isIdentifier } from './names.js';
import { isObject } from './schema.js';
import { quote } from './typescript.js';

const OPTIONS = {
  strict: false,
  // A tool without `toString` among its arguments is not given that of all objects.
  ownProperties: true,
  // The first fault is enough to mend a call, and looking for all of them takes longer with each part of a hostile value.
  allErrors: false,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
  verbose: true,
};
const OLD_DRAFT = /\/draft-0[3-7]\//;
const WITH_ARTICLES = { array: 'an array', integer: 'an integer', null: 'null', object: 'an object' };
const MAX_LITERAL = 100;
const MAX_MESSAGE = 2000;

/** A call whose arguments are not what the tool takes. */
export class ToolInputError extends Error {
  name = 'ToolInputError';
  code = 'ERR_TOOL_INPUT';

  constructor(tool, problem, signature) {
    super(`${tool}: ${problem}. It is called as ${signature}`.slice(0, MAX_MESSAGE));
    this.tool = tool;
  }
}

/** A function that returns what is wrong with a value, or `undefined`. A schema that is none throws. */
export function checkerOf(schema) {
  const { $schema, ...rest } = schema;
  const ajv = typeof $schema === 'string' && OLD_DRAFT.test($schema) ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  const validate = ajv.compile(rest);
  if (validate.$async) throw new Error('an asynchronous schema');
  return (value) => (validate(value) ? undefined : problemOf(validate.errors[0], value));
}

function problemOf({ instancePath, keyword, params, message, data, parentSchema }) {
  const place = placeOf(instancePath.split('/').slice(1).map(unescaped));
  if (keyword === 'required') return `${place}${memberOf(params.missingProperty)} is missing`;
  if (keyword === 'additionalProperties') {
    const names = isObject(parentSchema.properties) ? Object.keys(parentSchema.properties) : [];
    const known = names.length === 0 ? 'none' : names.map(literal).join(', ');
    return `${place} has no property ${literal(params.additionalProperty)}; those that it has: ${known}`;
  }
  if (keyword === 'type')
    return `${place} must be ${[params.type].flat().map(withArticle).join(' or ')}, not ${shown(data)}`;
  if (keyword === 'enum')
    return `${place} must be one of ${params.allowedValues.map(literal).join(', ')}, not ${shown(data)}`;
  if (keyword === 'const') return `${place} must be ${literal(params.allowedValue)}, not ${shown(data)}`;
  return `${place} ${message}`;
}

/** The same from a standard schema's issues. */
export function problemOfIssues(issues) {
  const [{ message, path = [] }] = issues;
  return `${placeOf(path.map((part) => (isObject(part) ? part.key : part)))}: ${message}`;
}

function withArticle(type) {
  return WITH_ARTICLES[type] ?? `a ${type}`;
}

function placeOf(path) {
  return ['input', ...path.map(memberOf)].join('').slice(0, MAX_LITERAL * 5);
}

function memberOf(name) {
  const text = String(name);
  if (/^\d+$/.test(text)) return `[${text}]`;
  return isIdentifier(text) ? `.${text}` : `[${literal(text)}]`;
}

function unescaped(part) {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function shown(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return value === undefined ? 'undefined' : `the ${typeof value} ${literal(value)}`;
}

function literal(value) {
  const text = typeof value === 'string' ? quote(value.slice(0, MAX_LITERAL)) : (quote(value) ?? '');
  return text.length > MAX_LITERAL + 2 ? `${text.slice(0, MAX_LITERAL)}...` : text;
}
