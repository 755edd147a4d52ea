// Names for programs. They come from servers and schemas that may be hostile, so they can be anything.

const MAX_LENGTH = 64;
/** Promises look for `then`, JSON for `toJSON`; the others every object has. A tool of such a name would be taken for that. */
const RESERVED = new Set(['then', 'toJSON', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)]);
/** Names that no variable can have; as properties they are fine. */
const KEYWORDS = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public ' +
    'return static super switch this throw true try typeof var void while with yield'
  ).split(' '),
);
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

export const isIdentifier = (name) => IDENTIFIER.test(name);

/** Gives each name an identifier of its own; the first to come gets the nearest. */
export class Identifiers {
  #taken = new Set();
  #variables;

  /** For variables rather than properties. */
  constructor({ variables = false } = {}) {
    this.#variables = variables;
  }

  add(name) {
    const near = identifierFor(name, this.#variables);
    let identifier = near;
    for (let count = 2; this.#taken.has(identifier); count++) identifier = `${near}_${count}`;
    this.#taken.add(identifier);
    return identifier;
  }
}

function identifierFor(name, isVariable) {
  const characters = [...name.slice(0, MAX_LENGTH)].map((character) =>
    /[\p{ID_Continue}$]/u.test(character) ? character : '_',
  );
  const text = characters.join('');
  const identifier = isIdentifier(text) ? text : `_${text}`;
  return RESERVED.has(identifier) || (isVariable && KEYWORDS.has(identifier)) ? `${identifier}_` : identifier;
}
