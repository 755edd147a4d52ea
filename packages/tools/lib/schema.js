// A JSON schema of a bounded size, a tree without references, in the keywords that have a meaning in TypeScript or are cheap
// to check. Whatever is left out allows more than the schema did.

/** Schemas in one. A check of a value takes at most this many steps for each of the value's parts. */
const MAX_NODES = 500;
const MAX_DEPTH = 16;
/** Properties of an object, members of an enumeration or of a union. */
const MAX_MEMBERS = 100;
const MAX_TEXT = 1024;
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']);
const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];
const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'];
const UNIONS = ['anyOf', 'oneOf', 'allOf'];

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);

export function reduce(root) {
  let left = MAX_NODES;
  /** What is being copied further out: a schema within itself is left out. */
  const outer = new Set();

  function visit(schema, depth) {
    if (typeof schema === 'boolean') return schema;
    left -= 1;
    if (!isObject(schema) || left < 0 || depth > MAX_DEPTH || outer.has(schema)) return {};
    outer.add(schema);
    try {
      return copy(schema, depth + 1);
    } finally {
      outer.delete(schema);
    }
  }

  function copy(schema, depth) {
    const reference = own(schema, '$ref');
    const target = typeof reference === 'string' ? resolve(root, reference) : undefined;
    const result = target === undefined ? {} : visit(target, depth);
    if (!isObject(result)) return result;
    copyPlain(schema, result);
    copyObject(schema, result, depth);
    copyArray(schema, result, depth);
    for (const keyword of UNIONS) {
      const members = own(schema, keyword);
      // Without one of its members a union would refuse what it allows.
      if (Array.isArray(members) && members.length > 0 && members.length <= MAX_MEMBERS && members.length <= left) {
        result[keyword] = members.map((member) => visit(member, depth));
      }
    }
    return result;
  }

  function copyObject(schema, result, depth) {
    const properties = own(schema, 'properties');
    const names = isObject(properties) ? Object.keys(properties).filter((name) => name !== '__proto__') : [];
    const kept = names.slice(0, MAX_MEMBERS);
    if (kept.length > 0) {
      result.properties = Object.create(null);
      for (const name of kept) result.properties[name] = visit(properties[name], depth);
    }
    const required = own(schema, 'required');
    if (Array.isArray(required)) {
      const texts = required.filter((name) => typeof name === 'string' && name !== '__proto__');
      result.required = [...new Set(texts)].slice(0, MAX_MEMBERS);
    }
    const more = own(schema, 'additionalProperties');
    const isWhole = kept.length === names.length && own(schema, 'patternProperties') === undefined;
    if (isWhole && (typeof more === 'boolean' || isObject(more))) result.additionalProperties = visit(more, depth);
  }

  function copyArray(schema, result, depth) {
    const items = own(schema, 'items');
    // Until 2020 a tuple was an array of `items`.
    const first = own(schema, 'prefixItems') ?? (Array.isArray(items) ? items : undefined);
    const rest = Array.isArray(items) ? own(schema, 'additionalItems') : items;
    if (Array.isArray(first) && first.length > 0) {
      result.prefixItems = first.slice(0, MAX_MEMBERS).map((item) => visit(item, depth));
      if (first.length > MAX_MEMBERS) return;
    }
    if (typeof rest === 'boolean' || isObject(rest)) result.items = visit(rest, depth);
  }

  return visit(root, 0);
}

function copyPlain(schema, result) {
  const type = own(schema, 'type');
  const types = (Array.isArray(type) ? type : [type]).filter((name) => TYPES.has(name));
  if (own(schema, 'nullable') === true && types.length > 0) types.push('null');
  if (types.length > 0) result.type = types.length === 1 ? types[0] : [...new Set(types)];
  for (const keyword of ['description', 'title', 'format']) {
    const text = own(schema, keyword);
    if (typeof text === 'string') result[keyword] = text.slice(0, MAX_TEXT);
  }
  for (const keyword of NUMBERS) {
    if (Number.isFinite(own(schema, keyword))) result[keyword] = schema[keyword];
  }
  for (const keyword of COUNTS) {
    if (Number.isSafeInteger(own(schema, keyword)) && schema[keyword] >= 0) result[keyword] = schema[keyword];
  }
  const values = own(schema, 'enum');
  if (Array.isArray(values) && values.length > 0 && values.length <= MAX_MEMBERS && values.every(isScalar)) {
    result.enum = [...new Set(values)];
  }
  for (const keyword of ['const', 'default']) {
    if (isScalar(own(schema, keyword))) result[keyword] = schema[keyword];
  }
}

function isScalar(value) {
  if (typeof value === 'string') return value.length <= MAX_TEXT;
  return value === null || typeof value === 'boolean' || Number.isFinite(value);
}

/** What a JSON pointer within the schema names. */
function resolve(root, reference) {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined;
  if (reference.length > MAX_TEXT) return undefined;
  let found = root;
  for (const part of reference.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}
