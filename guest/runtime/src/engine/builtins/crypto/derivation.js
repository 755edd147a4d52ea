// HKDF and PBKDF2.

import {
  bytesMember,
  DIGESTS,
  hashMember,
  integerMember,
  plain,
  register,
  taking,
  wholeBytes,
} from 'hyperlight:crypto/algorithms';
import { failure, made, operationFailed, UNSIGNED_LONG } from 'hyperlight:crypto/conversion';
import { notSupported } from 'hyperlight:crypto/json_web_key';
import { checkUsages, newKey } from 'hyperlight:crypto/key';
import { hkdf, pbkdf2, secretKey } from 'hyperlight:native/crypto';

/** What keys have in common that are there to derive others. */
const operations = (name) => ({
  importKey: plain((_, format, data, extractable, usages) => {
    if (format !== 'raw') throw notSupported(format);
    checkUsages(usages, { __proto__: null, deriveKey: true, deriveBits: true });
    if (extractable) throw failure('SyntaxError', `a key for ${name} cannot be extractable`);
    return newKey('secret', secretKey(data), { __proto__: null, name }, extractable, usages);
  }),
  keyLength: plain(() => null),
});

register('HKDF', {
  ...operations('HKDF'),
  deriveBits: taking(
    { hash: hashMember, info: bytesMember, salt: bytesMember },
    ({ hash, info, salt }, parts, length) => made(hkdf(DIGESTS[hash], parts.handle, salt, info, wholeBytes(length))),
  ),
});

register('PBKDF2', {
  ...operations('PBKDF2'),
  deriveBits: taking(
    { hash: hashMember, iterations: integerMember(UNSIGNED_LONG), salt: bytesMember },
    ({ hash, iterations, salt }, parts, length) => {
      const size = wholeBytes(length);
      if (iterations === 0) throw operationFailed('there must be at least one iteration');
      return pbkdf2(DIGESTS[hash], parts.handle, salt, iterations, size);
    },
  ),
});
