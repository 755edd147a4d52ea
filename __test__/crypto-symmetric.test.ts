// crypto.subtle: digests, HMAC, AES, HKDF and PBKDF2. The results are those of the standards' own examples, and of Node.js.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestSide, inNode } from './crypto-sides';

/** What code gives in hexadecimal: of NIST and of RFCs, as named. */
const KNOWN: Record<string, [code: string, result: string]> = {
  'FIPS 180: SHA-1': ["digest('SHA-1', utf8('abc'))", 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  'FIPS 180: SHA-256': [
    "digest('SHA-256', utf8('abc'))",
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ],
  'FIPS 180: SHA-384': [
    "digest({ name: 'sha-384' }, utf8('abc').buffer)",
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  ],
  'FIPS 180: SHA-512': [
    "digest('SHA-512', new DataView(utf8('abc').buffer))",
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
  'RFC 4231, 2: HMAC': [
    "sign('HMAC', await key('4a656665', { name: 'HMAC', hash: 'SHA-256' }, 'sign'), utf8('what do ya want for nothing?'))",
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  'SP 800-38A, F.2.5: AES-CBC': [
    `encrypt({ name: 'AES-CBC', iv: bytes('000102030405060708090a0b0c0d0e0f') },
      await key('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'AES-CBC', 'encrypt'),
      bytes('6bc1bee22e409f96e93d7e117393172a'))`,
    // The second block is the padding.
    'f58c4c04d6e5f1ba779eabfb5f7bfbd6485a5c81519cf378fa36d42b8547edc0',
  ],
  'SP 800-38A, F.5.1: AES-CTR': [
    `encrypt({ name: 'AES-CTR', length: 128, counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff') },
      await key('2b7e151628aed2a6abf7158809cf4f3c', 'AES-CTR', 'encrypt'),
      bytes('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'))`,
    '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff',
  ],
  'SP 800-38D, case 4: AES-GCM': [
    `encrypt({ name: 'AES-GCM', iv: bytes('cafebabefacedbaddecaf888'), additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2') },
      await key('feffe9928665731c6d6a8f9467308308', 'AES-GCM', 'encrypt'),
      bytes('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'))`,
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
  ],
  'RFC 3394, 4.1: AES-KW': [
    `wrapKey('raw', await key('00112233445566778899aabbccddeeff', 'AES-CBC', 'encrypt'),
      await key('000102030405060708090a0b0c0d0e0f', 'AES-KW', 'wrapKey'), 'AES-KW')`,
    '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
  ],
  'RFC 5869, A.1: HKDF': [
    `deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') },
      await secret('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 'HKDF'), 336)`,
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  ],
  'RFC 6070, 3: PBKDF2': [
    "deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 4096 }, await secret(hex(utf8('password')), 'PBKDF2'), 160)",
    '4b007901b765489abead49d926f721d065a429c1',
  ],
};

const MAKERS = `
  const key = (text, algorithm, usage) => subtle.importKey('raw', bytes(text), algorithm, true, [usage]);
  const secret = (text, algorithm) => subtle.importKey('raw', bytes(text), algorithm, false, ['deriveBits', 'deriveKey']);
`;

test('the examples of the standards give what the standards have', async () => {
  const { guest, inGuest } = await guestSide();
  for (const [name, [code, result]] of Object.entries(KNOWN)) {
    const body = `${MAKERS} return hex(await subtle.${code});`;
    assert.equal(await inGuest(body), result, name);
    assert.equal(await inNode(body), result, `${name} in Node.js`);
  }
  await guest.dispose?.();
});

/** Parameters of encryption, with which each side encrypts what the other decrypts. */
const CIPHERS = [
  ...[32, 96, 104, 112, 120, 128].map((tagLength) =>
    `{ name: 'AES-GCM', iv: utf8('twelve bytes'), tagLength }`.replace('tagLength }', `tagLength: ${tagLength} }`),
  ),
  "{ name: 'AES-GCM', iv: new Uint8Array(13) }",
  "{ name: 'AES-GCM', iv: new Uint8Array(60).fill(7), additionalData: new Uint8Array(33).fill(5) }",
  "{ name: 'AES-CBC', iv: new Uint8Array(16).fill(3) }",
  "{ name: 'AES-CTR', length: 64, counter: new Uint8Array(16).fill(255) }",
  "{ name: 'AES-CTR', length: 9, counter: new Uint8Array(16).fill(255) }",
  "{ name: 'AES-CTR', length: 128, counter: new Uint8Array(16).fill(255) }",
];
const SIZES = [0, 1, 15, 16, 17, 31, 32, 33, 1000, 4099];

const ENCRYPT = `
  const results = [];
  for (const text of keys) {
    for (const size of sizes) {
      const key = await subtle.importKey('raw', text, parameters.name, false, ['encrypt']);
      results.push(new Uint8Array(await subtle.encrypt(parameters, key, Uint8Array.from({ length: size }, (_, i) => i))));
    }
  }
  return results;
`;
const DECRYPT = `
  let at = 0;
  for (const text of keys) {
    for (const size of sizes) {
      const key = await subtle.importKey('raw', text, parameters.name, false, ['decrypt']);
      const plain = await subtle.decrypt(parameters, key, encrypted[at++]);
      if (!same(plain, Uint8Array.from({ length: size }, (_, i) => i))) return 'another text of ' + size + ' bytes';
    }
  }
  return true;
`;

test('each side decrypts what the other has encrypted', async () => {
  const { inGuest } = await guestSide();
  const keys = [16, 24, 32].map((size) => new Uint8Array(size).fill(size));
  for (const text of CIPHERS) {
    const given = { keys, sizes: SIZES };
    const [encrypt, decrypt] = [ENCRYPT, DECRYPT].map((code) => `const parameters = ${text}; ${code}`) as [
      string,
      string,
    ];
    const encrypted = await inGuest(encrypt, given);
    assert.deepEqual(encrypted, await inNode(encrypt, given), text);
    assert.equal(await inNode(decrypt, { ...given, encrypted }), true, text);
    assert.equal(await inGuest(decrypt, { ...given, encrypted }), true, text);
  }
});

/** What both sides must give alike: values, or names of errors. */
const ALIKE: Record<string, string> = {
  'HMAC of all digests': `
    const all = [];
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      for (const size of [1, 64, 128, 200]) {
        const key = await subtle.importKey('raw', new Uint8Array(size).fill(9), { name: 'HMAC', hash }, true, ['sign', 'verify']);
        const signature = await subtle.sign('HMAC', key, utf8('some text'));
        all.push(hex(signature), await subtle.verify('HMAC', key, signature, utf8('some text')));
        all.push(await subtle.verify('HMAC', key, signature, utf8('other text')), await subtle.exportKey('jwk', key));
        all.push(await subtle.verify('HMAC', key, signature.slice(1), utf8('some text')));
      }
    }
    return all;`,
  'keys for HMAC have the length of a block, or the one that is asked for': `
    const all = [];
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      const key = await subtle.generateKey({ name: 'HMAC', hash }, true, ['sign']);
      all.push(key.algorithm, key.usages, key.type, key.extractable, (await subtle.exportKey('raw', key)).byteLength);
    }
    return all;`,
  'keys for AES': `
    const all = [];
    for (const name of ['AES-CBC', 'AES-CTR', 'AES-GCM']) {
      for (const length of [128, 192, 256]) {
        const key = await subtle.generateKey({ name, length }, true, ['encrypt', 'decrypt']);
        const jwk = await subtle.exportKey('jwk', key);
        const again = await subtle.importKey('jwk', jwk, name, false, ['encrypt']);
        all.push(key.algorithm, key.usages, again.algorithm, { ...jwk, k: jwk.k.length });
      }
    }
    return all;`,
  'derived bits and keys': `
    const all = [];
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      const hkdf = { name: 'HKDF', hash, salt: utf8('salt'), info: utf8('info') };
      const pbkdf2 = { name: 'PBKDF2', hash, salt: utf8('salt'), iterations: 3 };
      for (const parameters of [hkdf, pbkdf2]) {
        const base = await subtle.importKey('raw', utf8('a password'), parameters.name, false, ['deriveBits', 'deriveKey']);
        for (const length of [8, 256, 1000]) all.push(hex(await subtle.deriveBits(parameters, base, length)));
        const types = [{ name: 'AES-GCM', length: 192 }, { name: 'HMAC', hash: 'SHA-512' }, { name: 'HMAC', hash: 'SHA-1', length: 80 }];
        for (const type of types) {
          const usage = type.name === 'HMAC' ? 'sign' : 'encrypt';
          const key = await subtle.deriveKey(parameters, base, type, true, [usage]);
          all.push(hex(await subtle.exportKey('raw', key)), key.algorithm);
        }
      }
    }
    return all;`,
  'wrapped keys': `
    const all = [];
    const wrapping = [
      [{ name: 'AES-KW' }, 'AES-KW'],
      [{ name: 'AES-GCM', iv: new Uint8Array(12) }, 'AES-GCM'],
      [{ name: 'AES-CBC', iv: new Uint8Array(16) }, 'AES-CBC'],
      [{ name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }, 'AES-CTR'],
    ];
    const wrapped = await subtle.importKey('raw', new Uint8Array(32).fill(1), 'AES-CBC', true, ['encrypt']);
    for (const [parameters, name] of wrapping) {
      const key = await subtle.importKey('raw', new Uint8Array(16).fill(2), name, false, ['wrapKey', 'unwrapKey']);
      for (const format of name === 'AES-KW' ? ['raw'] : ['raw', 'jwk']) {
        const bytes = await subtle.wrapKey(format, wrapped, key, parameters);
        const again = await subtle.unwrapKey(format, bytes, key, parameters, 'AES-CBC', true, ['encrypt']);
        all.push(format === 'raw' ? hex(bytes) : '', hex(await subtle.exportKey('raw', again)), again.usages);
        const broken = new Uint8Array(bytes);
        broken[3] ^= 1;
        if (name === 'AES-KW' || name === 'AES-GCM') {
          all.push(await failed(subtle.unwrapKey(format, broken, key, parameters, 'AES-CBC', true, ['encrypt'])));
        }
      }
    }
    return all;`,
  errors: `
    const aes = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt']);
    const hmac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
    const iv = new Uint8Array(12);
    const base = await subtle.importKey('raw', utf8('a'), 'HKDF', false, ['deriveBits']);
    const attempts = [
      () => subtle.digest('SHA-3', iv),
      () => subtle.digest({}, iv),
      () => subtle.digest('SHA-256', 'text'),
      () => subtle.digest('SHA-256'),
      () => subtle.exportKey('raw', aes),
      () => subtle.exportKey('raw', {}),
      () => subtle.exportKey('nothing', hmac),
      () => subtle.encrypt('AES-GCM', aes, iv),
      () => subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 31 }, aes, iv),
      () => subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, aes, iv),
      () => subtle.encrypt({ name: 'AES-GCM', iv }, hmac, iv),
      () => subtle.decrypt({ name: 'AES-GCM', iv }, aes, iv),
      () => subtle.decrypt({ name: 'AES-GCM', iv }, aes, new Uint8Array(40)),
      () => subtle.verify('HMAC', hmac, iv, iv),
      () => subtle.sign('AES-GCM', hmac, iv),
      () => subtle.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, []),
      () => subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['sign']),
      () => subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['nothing']),
      () => subtle.generateKey({ name: 'AES-GCM', length: 70000 }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'HMAC' }, true, ['sign']),
      () => subtle.importKey('raw', new Uint8Array(17), 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('raw', new Uint8Array(0), { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']),
      () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAA' }, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('jwk', { kty: 'RSA', k: 'AAAA' }, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', alg: 'A256CBC' }, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ext: false }, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', key_ops: ['sign'] }, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('raw', utf8('a'), 'PBKDF2', true, ['deriveBits']),
      () => subtle.importKey('raw', utf8('a'), 'PBKDF2', false, ['sign']),
      () => subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: iv, info: iv }, base, 7),
      () => subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: iv, info: iv }, base, 256 * 255 + 8),
      () => subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: iv, info: iv }, base, { name: 'AES-GCM', length: 128 }, true, ['encrypt']),
    ];
    const names = [];
    for (const attempt of attempts) names.push(attempt.toString() + ': ' + (await failed(attempt())));
    return names;`,
};

for (const [name, code] of Object.entries(ALIKE)) {
  test(`as in Node.js: ${name}`, async () => {
    const { inGuest } = await guestSide();
    assert.deepEqual(await inGuest(code), JSON.parse(JSON.stringify(await inNode(code))));
  });
}
