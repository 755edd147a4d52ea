// TypeScript of reduced schemas. All text in it comes from others: nothing can end the comment or the literal that it is in.

import { isIdentifier } from './names.js';
import { isObject } from './schema.js';

const INDENT = '  ';
const MAX_COMMENT = 1024;
/** Of a declaration that is longer, the input is `any`. */
const MAX_DECLARATION = 8192;
const LINE_BREAKS = /\r\n|[\n\r\u2028\u2029]/;
/** Control characters and those that change the direction of text: what they hide, a reader would not see. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const NAMES = { string: 'string', number: 'number', integer: 'number', boolean: 'boolean', null: 'null' };

/** A method with its comment, such as `find(input: { id: number }): Promise<unknown>;`. */
export function declareMethod({ name, description, input, output }, indent) {
  const text = [...comment(description, indent), `${indent}${signatureOf(name, input, output, indent)};`].join('\n');
  if (text.length <= MAX_DECLARATION) return text;
  return [...comment(description, indent), `${indent}${name}(input: any): Promise<any>;`].join('\n');
}

/** The same in one line, without comments. */
export function signature({ name, input, output }) {
  return signatureOf(name, input, output).slice(0, MAX_DECLARATION);
}

function signatureOf(name, input, output, indent) {
  const result = output === undefined ? 'any' : typeOf(output, indent);
  if (input === undefined) return `${name}(...args: any[]): Promise<${result}>`;
  // Where nothing is required, nothing need be passed.
  const mark = isObject(input) && input.type === 'object' && !input.required?.length ? '?' : '';
  return `${name}(input${mark}: ${typeOf(input, indent)}): Promise<${result}>`;
}

/** With an indentation objects take a line for each property, and have comments. */
export function typeOf(schema, indent) {
  if (schema === false) return 'never';
  if (!isObject(schema)) return 'unknown';
  if (schema.const !== undefined) return quote(schema.const);
  if (schema.enum) return union(schema.enum.map(quote));
  const alternatives = schema.anyOf ?? schema.oneOf;
  const parts = [
    ...(schema.allOf ?? []).map((part) => typeOf(part, indent)),
    ...(alternatives ? [union(alternatives.map((part) => typeOf(part, indent)))] : []),
  ];
  const types =
    schema.type ?? (schema.properties ? 'object' : schema.items || schema.prefixItems ? 'array' : undefined);
  if (types !== undefined) parts.unshift(union([types].flat().map((type) => ofType(type, schema, indent))));
  const known = [...new Set(parts)].filter((part) => part !== 'unknown');
  if (known.length === 0) return 'unknown';
  return known.length === 1 ? known[0] : known.map(inParentheses).join(' & ');
}

function ofType(type, schema, indent) {
  if (type === 'array') return arrayOf(schema, indent);
  if (type === 'object') return objectOf(schema, indent);
  return NAMES[type];
}

function arrayOf({ items, prefixItems }, indent) {
  if (!prefixItems) return `${inParentheses(typeOf(items, indent))}[]`;
  const rest = items === false ? [] : [`...${inParentheses(typeOf(items, indent))}[]`];
  return `[${[...prefixItems.map((item) => typeOf(item, indent)), ...rest].join(', ')}]`;
}

function objectOf({ properties = {}, required = [], additionalProperties }, indent) {
  const more = isObject(additionalProperties) ? `Record<string, ${typeOf(additionalProperties, indent)}>` : undefined;
  const names = Object.keys(properties);
  if (names.length === 0) return more ?? (additionalProperties === false ? '{}' : 'Record<string, unknown>');
  const inner = indent === undefined ? undefined : indent + INDENT;
  const members = names.map((name) => {
    const key = isIdentifier(name) ? name : quote(name);
    const member = `${key}${required.includes(name) ? '' : '?'}: ${typeOf(properties[name], inner)};`;
    return inner === undefined ? member : [...comment(noteOf(properties[name]), inner), `${inner}${member}`].join('\n');
  });
  const text = inner === undefined ? `{ ${members.join(' ').slice(0, -1)} }` : `{\n${members.join('\n')}\n${indent}}`;
  return more === undefined ? text : `${text} & ${more}`;
}

/** What a type does not say of a property. */
function noteOf(schema) {
  if (!isObject(schema)) return undefined;
  const facts = [
    schema.type === 'integer' && 'an integer',
    schema.format && `format ${schema.format}`,
    schema.minimum !== undefined && `at least ${schema.minimum}`,
    schema.exclusiveMinimum !== undefined && `more than ${schema.exclusiveMinimum}`,
    schema.maximum !== undefined && `at most ${schema.maximum}`,
    schema.exclusiveMaximum !== undefined && `less than ${schema.exclusiveMaximum}`,
    schema.default !== undefined && `default ${quote(schema.default)}`,
  ].filter(Boolean);
  const text = schema.description ?? schema.title;
  if (facts.length === 0) return text;
  return [...(text ? [text.trim()] : []), `(${facts.join(', ')})`].join(' ');
}

/** A literal. */
export function quote(value) {
  return JSON.stringify(value).replace(
    HIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function union(parts) {
  const distinct = [...new Set(parts)];
  return distinct.includes('unknown') ? 'unknown' : distinct.join(' | ');
}

function inParentheses(type) {
  return / [|&] /.test(type) ? `(${type})` : type;
}

function comment(text, indent) {
  if (!text) return [];
  const cut = text.length > MAX_COMMENT ? `${text.slice(0, MAX_COMMENT)}...` : text;
  const lines = cut
    .split(LINE_BREAKS)
    .map((line) => line.replace(HIDDEN, ' ').replaceAll('*/', '*\\/').trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return [];
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}
