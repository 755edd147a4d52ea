// RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP.

import {
  DIGESTS,
  hashMember,
  integerMember,
  optionalBytes,
  plain,
  register,
  taking,
} from 'hyperlight:crypto/algorithms';
import { failure, made, operationFailed, required, UNSIGNED_LONG, wrongData } from 'hyperlight:crypto/conversion';
import { allBytesIn, check, exported, notSupported } from 'hyperlight:crypto/json_web_key';
import { checkUsages, newKey } from 'hyperlight:crypto/key';
import {
  exportKey,
  exportParts,
  generateRsa,
  importKey,
  importParts,
  publicOf,
  rsaDecrypt,
  rsaEncrypt,
  signData,
  verifyData,
} from 'hyperlight:native/crypto';

const SIGNING = { use: 'sig', ofPublic: { __proto__: null, verify: true }, ofPrivate: { __proto__: null, sign: true } };
const ENCRYPTING = {
  use: 'enc',
  ofPublic: { __proto__: null, encrypt: true, wrapKey: true },
  ofPrivate: { __proto__: null, decrypt: true, unwrapKey: true },
};
const MEMBERS = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];
const NOTHING = new Uint8Array();

/** What `"alg"` is for digests: of RSA-OAEP with SHA-1 there is nothing after the name. */
const algsFor = (prefix) => ({
  __proto__: null,
  'SHA-1': `${prefix}1`,
  'SHA-256': `${prefix}256`,
  'SHA-384': `${prefix}384`,
  'SHA-512': `${prefix}512`,
});

const bytesMember = (object, member) => {
  const value = required(object, member);
  if (!(value instanceof Uint8Array)) throw new TypeError(`"${member}" must be a Uint8Array`);
  return new Uint8Array(value);
};

/** An algorithm as keys have it: the first two parts of each are its modulus and its public exponent. */
function algorithmOf(name, handle, hash) {
  const parts = exportParts(publicOf(handle) ?? handle);
  const modulus = parts[0];
  const modulusLength = modulus.length * 8 - Math.clz32(modulus[0]) + 24;
  return { __proto__: null, name, modulusLength, publicExponent: parts[1], hash };
}

function registerRsa(name, purpose, algs, operations) {
  const GENERATION = {
    modulusLength: integerMember(UNSIGNED_LONG),
    publicExponent: bytesMember,
    hash: hashMember,
  };
  register(name, {
    generateKey: taking(GENERATION, ({ modulusLength, publicExponent, hash }, extractable, usages) => {
      checkUsages(usages, purpose.ofPublic, purpose.ofPrivate);
      const handle = made(generateRsa(modulusLength, publicExponent), () =>
        operationFailed('there is no such key: it has from 1024 to 8192 bits and an odd exponent'),
      );
      const algorithm = { __proto__: null, name, modulusLength, publicExponent, hash };
      return {
        publicKey: newKey('public', publicOf(handle), algorithm, true, usages, purpose.ofPublic),
        privateKey: newKey('private', handle, algorithm, extractable, usages, purpose.ofPrivate),
      };
    }),
    importKey: taking({ hash: hashMember }, ({ hash }, format, data, extractable, usages) => {
      if (format === 'raw') throw notSupported(format);
      const isPrivate = format === 'pkcs8' || (format === 'jwk' && data.d !== undefined);
      checkUsages(usages, isPrivate ? purpose.ofPrivate : purpose.ofPublic);
      let handle;
      if (format === 'jwk') {
        check(data, 'RSA', purpose.use, extractable, usages);
        if (data.alg !== undefined && data.alg !== algs[hash]) throw wrongData('"alg" is that of other keys');
        if (data.oth !== undefined) throw failure('NotSupportedError', 'a key can have two primes only');
        handle = importParts('RSA', allBytesIn(data, MEMBERS));
      } else {
        handle = importKey('RSA', format, data);
      }
      made(handle, wrongData);
      const type = isPrivate ? 'private' : 'public';
      return newKey(type, handle, algorithmOf(name, handle, hash), extractable, usages);
    }),
    exportKey: plain((format, parts) => {
      if (format === 'raw') throw notSupported(format);
      if (format === 'jwk') {
        return exported(parts, 'RSA', MEMBERS, exportParts(parts.handle), { alg: algs[parts.algorithm.hash] });
      }
      const isOfType = parts.type === (format === 'pkcs8' ? 'private' : 'public');
      if (!isOfType) throw failure('InvalidAccessError', `a ${parts.type} key has no format "${format}"`);
      return made(exportKey(parts.handle, format));
    }),
    ...operations,
  });
}

/** Signatures, whose salt has a size if they have one. */
function signatures(members) {
  const sizeOf = ({ saltLength }) => saltLength;
  return {
    sign: taking(members, (parameters, parts, data) =>
      made(signData(parts.handle, DIGESTS[parts.algorithm.hash], sizeOf(parameters), data)),
    ),
    verify: taking(members, (parameters, parts, signature, data) =>
      verifyData(parts.handle, DIGESTS[parts.algorithm.hash], sizeOf(parameters), signature, data),
    ),
  };
}

registerRsa('RSASSA-PKCS1-v1_5', SIGNING, algsFor('RS'), signatures({}));
registerRsa('RSA-PSS', SIGNING, algsFor('PS'), signatures({ saltLength: integerMember(UNSIGNED_LONG) }));

const OAEP = { label: optionalBytes };

registerRsa(
  'RSA-OAEP',
  ENCRYPTING,
  { ...algsFor('RSA-OAEP-'), 'SHA-1': 'RSA-OAEP' },
  {
    encrypt: taking(OAEP, ({ label = NOTHING }, parts, data) => {
      if (parts.type !== 'public') throw failure('InvalidAccessError', 'the key must be a public one');
      return made(rsaEncrypt(parts.handle, DIGESTS[parts.algorithm.hash], label, data));
    }),
    decrypt: taking(OAEP, ({ label = NOTHING }, parts, data) => {
      if (parts.type !== 'private') throw failure('InvalidAccessError', 'the key must be a private one');
      return made(rsaDecrypt(parts.handle, DIGESTS[parts.algorithm.hash], label, data));
    }),
  },
);
