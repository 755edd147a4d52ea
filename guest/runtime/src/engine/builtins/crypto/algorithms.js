// Algorithms by their names, and what each operation makes of the parameters that it is given.

import { copyOf, failure, integer, required, UNSIGNED_LONG } from 'hyperlight:crypto/conversion';

/** Names of digests, and what they are called in native code. */
export const DIGESTS = {
  __proto__: null,
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};
export const DIGEST_BITS = { __proto__: null, 'SHA-1': 160, 'SHA-256': 256, 'SHA-384': 384, 'SHA-512': 512 };
/** Sizes of the blocks of digests, in bits. */
export const BLOCK_BITS = { __proto__: null, 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };

const algorithms = { __proto__: null };
/** The case of names does not matter. */
const byUpperCase = { __proto__: null };

/** Registers an algorithm: of each operation the members that its parameters have, and what it does. */
export function register(name, operations) {
  const algorithm = { __proto__: null, name, operations: { __proto__: null, ...operations } };
  algorithms[name] = algorithm;
  byUpperCase[name.toUpperCase()] = algorithm;
}

/** What an operation does with no more than the name of the algorithm. */
export const plain = (run) => ({ __proto__: null, run });

/** What it does with members of a dictionary, each with what converts it. */
export const taking = (members, run) => ({ __proto__: null, members, run });

/** The parameters of an operation, as `parameters`, and what it does, as `run`. */
export function normalized(operation, algorithm) {
  const isObject = (typeof algorithm === 'object' && algorithm !== null) || typeof algorithm === 'function';
  const name = `${isObject ? required(algorithm, 'name') : algorithm}`;
  const known = byUpperCase[name.toUpperCase()];
  const found = known?.operations[operation];
  if (!found) throw failure('NotSupportedError', `there is no ${operation} with "${name}"`);
  const parameters = { __proto__: null, name: known.name };
  for (const member in found.members) parameters[member] = found.members[member](algorithm, member);
  return { __proto__: null, parameters, run: found.run, operations: known.operations };
}

/** What an algorithm does for an operation, without parameters. */
export function operationOf(name, operation) {
  return algorithms[name].operations[operation]?.run;
}

export const bytesMember = (object, member) => copyOf(required(object, member), `"${member}"`);

export function optionalBytes(object, member) {
  const value = object[member];
  return value === undefined ? undefined : copyOf(value, `"${member}"`);
}

export const integerMember = (limit) => (object, member) => integer(required(object, member), member, limit);

export function optionalInteger(limit) {
  return (object, member) => (object[member] === undefined ? undefined : integer(object[member], member, limit));
}

export const textMember = (object, member) => `${required(object, member)}`;

export const hashMember = (object, member) => normalized('digest', required(object, member)).parameters.name;

/** Checks that there is an argument of a length in bits, and gives it in bytes. */
export function wholeBytes(bits) {
  if (bits === null || bits % 8 !== 0 || bits > UNSIGNED_LONG) {
    throw failure('OperationError', 'the length must be a multiple of 8');
  }
  return bits / 8;
}
