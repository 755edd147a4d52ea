// ECDSA and ECDH over the curves P-256, P-384 and P-521, Ed25519 and X25519.

import { DIGESTS, hashMember, plain, register, taking, textMember } from 'hyperlight:crypto/algorithms';
import { failure, made, operationFailed, required, wrongData } from 'hyperlight:crypto/conversion';
import { allBytesIn, check, exported } from 'hyperlight:crypto/json_web_key';
import { checkUsages, newKey, partsOf } from 'hyperlight:crypto/key';
import {
  agree,
  ed25519Sign,
  ed25519Verify,
  exportKey,
  exportParts,
  generateKey,
  importKey,
  importParts,
  publicOf,
  signData,
  verifyData,
} from 'hyperlight:native/crypto';

const SIGNING = { use: 'sig', ofPublic: { __proto__: null, verify: true }, ofPrivate: { __proto__: null, sign: true } };
const AGREEING = {
  use: 'enc',
  ofPublic: { __proto__: null },
  ofPrivate: { __proto__: null, deriveKey: true, deriveBits: true },
};
const COORDINATES = { kty: 'EC', members: ['x', 'y', 'd'] };
const OCTETS = { kty: 'OKP', members: ['x', 'd'] };

/** A key from data in a format, for an algorithm as keys have it, whose curve is of a kind. */
function imported(format, data, { algorithm, curve, purpose, kind, isAlg }, extractable, usages) {
  const isPrivate = format === 'pkcs8' || (format === 'jwk' && data.d !== undefined);
  checkUsages(usages, isPrivate ? purpose.ofPrivate : purpose.ofPublic);
  let handle;
  if (format === 'jwk') {
    check(data, kind.kty, purpose.use, extractable, usages);
    if (data.crv !== curve) throw wrongData(`"crv" must be "${curve}"`);
    if (data.alg !== undefined && isAlg && !isAlg(data.alg)) throw wrongData('"alg" is that of other keys');
    handle = importParts(curve, allBytesIn(data, kind.members));
  } else {
    handle = importKey(curve, format, data);
  }
  return newKey(isPrivate ? 'private' : 'public', made(handle, wrongData), algorithm, extractable, usages);
}

function exportedAs(format, parts, curve, kind, alg) {
  if (format === 'jwk') {
    const rest = alg ? { alg, crv: curve } : { crv: curve };
    return exported(parts, kind.kty, kind.members, exportParts(parts.handle), rest);
  }
  const isOfType = parts.type === (format === 'pkcs8' ? 'private' : 'public');
  if (!isOfType) throw failure('InvalidAccessError', `a ${parts.type} key has no format "${format}"`);
  return made(exportKey(parts.handle, format));
}

/** A pair of new keys. */
function pair(algorithm, curve, purpose, extractable, usages) {
  checkUsages(usages, purpose.ofPublic, purpose.ofPrivate);
  const handle = made(generateKey(curve));
  return {
    publicKey: newKey('public', publicOf(handle), algorithm, true, usages, purpose.ofPublic),
    privateKey: newKey('private', handle, algorithm, extractable, usages, purpose.ofPrivate),
  };
}

/** What a private key and the public key in the parameters have in common. */
function agreed(parameters, parts, length) {
  if (parts.type !== 'private') throw failure('InvalidAccessError', 'the key must be a private one');
  const other = partsOf(parameters.public);
  if (other.type !== 'public') throw failure('InvalidAccessError', '"public" must be a public key');
  if (other.algorithm.name !== parts.algorithm.name || other.algorithm.namedCurve !== parts.algorithm.namedCurve) {
    throw failure('InvalidAccessError', '"public" must be a key of the same algorithm');
  }
  return made(agree(parts.handle, other.handle, length ?? undefined), () =>
    operationFailed('so much cannot be derived'),
  );
}

const deriveBits = taking(
  {
    public: (object, member) => {
      partsOf(required(object, member));
      return object[member];
    },
  },
  agreed,
);

/** The curve of parameters, which must be one that there is. */
function curveOf({ namedCurve }) {
  if (namedCurve === 'P-256' || namedCurve === 'P-384' || namedCurve === 'P-521') return namedCurve;
  throw failure('NotSupportedError', `there is no curve "${namedCurve}"`);
}

function registerOverCurves(name, purpose, algs, operations) {
  const members = { namedCurve: textMember };
  const algorithmOf = (namedCurve) => ({ __proto__: null, name, namedCurve });
  register(name, {
    generateKey: taking(members, (parameters, extractable, usages) => {
      checkUsages(usages, purpose.ofPublic, purpose.ofPrivate);
      const curve = curveOf(parameters);
      return pair(algorithmOf(curve), curve, purpose, extractable, usages);
    }),
    importKey: taking(members, (parameters, format, data, extractable, usages) => {
      const curve = curveOf(parameters);
      const own = {
        algorithm: algorithmOf(curve),
        curve,
        purpose,
        kind: COORDINATES,
        isAlg: algs && ((alg) => alg === algs[curve]),
      };
      return imported(format, data, own, extractable, usages);
    }),
    exportKey: plain((format, parts) => exportedAs(format, parts, parts.algorithm.namedCurve, COORDINATES)),
    ...operations,
  });
}

registerOverCurves(
  'ECDSA',
  SIGNING,
  { __proto__: null, 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' },
  {
    sign: taking({ hash: hashMember }, ({ hash }, parts, data) =>
      made(signData(parts.handle, DIGESTS[hash], undefined, data)),
    ),
    verify: taking({ hash: hashMember }, ({ hash }, parts, signature, data) =>
      verifyData(parts.handle, DIGESTS[hash], undefined, signature, data),
    ),
  },
);
registerOverCurves('ECDH', AGREEING, undefined, { deriveBits });

function registerCurve(name, purpose, alg, operations) {
  const algorithm = { __proto__: null, name };
  const own = {
    algorithm,
    curve: name,
    purpose,
    kind: OCTETS,
    isAlg: alg && ((given) => given === alg || given === 'EdDSA'),
  };
  register(name, {
    generateKey: plain((_, extractable, usages) => pair(algorithm, name, purpose, extractable, usages)),
    importKey: plain((_, format, data, extractable, usages) => imported(format, data, own, extractable, usages)),
    exportKey: plain((format, parts) => exportedAs(format, parts, name, OCTETS, alg)),
    ...operations,
  });
}

registerCurve('Ed25519', SIGNING, 'Ed25519', {
  sign: plain((_, parts, data) => made(ed25519Sign(parts.handle, data))),
  verify: plain((_, parts, signature, data) => ed25519Verify(parts.handle, signature, data)),
});
registerCurve('X25519', AGREEING, undefined, { deriveBits });
