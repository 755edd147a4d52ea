// crypto.subtle: ECDSA, ECDH, Ed25519, X25519 and RSA. Each side reads keys and signatures of the other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestSide, inNode } from './crypto-sides';

/** Code that gives what the RFC has. */
const KNOWN: Record<string, [code: string, result: unknown]> = {
  'RFC 6979, A.2.5: ECDSA over P-256': [
    `const key = await subtle.importKey('raw', bytes('0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'),
       { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
     const signature = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8';
     return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes(signature), utf8('sample'));`,
    true,
  ],
  'RFC 6979, A.2.6: ECDSA over P-384': [
    `const key = await subtle.importKey('raw', bytes('04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720'),
       { name: 'ECDSA', namedCurve: 'P-384' }, true, ['verify']);
     const signature = '94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8';
     return subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, bytes(signature), utf8('sample'));`,
    true,
  ],
  'RFC 6979, A.2.7: ECDSA over P-521': [
    `const key = await subtle.importKey('raw', bytes('0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5'),
       { name: 'ECDSA', namedCurve: 'P-521' }, true, ['verify']);
     const signature = '00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a';
     return subtle.verify({ name: 'ECDSA', hash: 'SHA-512' }, key, bytes(signature), utf8('sample'));`,
    true,
  ],
  'RFC 8032, 7.1, test 2: Ed25519': [
    `const seed = bytes('302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
     const key = await subtle.importKey('pkcs8', seed, 'Ed25519', true, ['sign']);
     return [hex(await subtle.sign('Ed25519', key, bytes('72'))), (await subtle.exportKey('jwk', key)).x];`,
    [
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw',
    ],
  ],
  'RFC 7748, 5.2: X25519': [
    `const secret = bytes('302e020100300506032b656e04220420a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
     const privateKey = await subtle.importKey('pkcs8', secret, 'X25519', true, ['deriveBits']);
     const other = await subtle.importKey('raw', bytes('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'), 'X25519', true, []);
     return hex(await subtle.deriveBits({ name: 'X25519', public: other }, privateKey, 256));`,
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  ],
};

test('the examples of the RFCs give what these have', async () => {
  const { inGuest } = await guestSide();
  for (const [name, [code, result]] of Object.entries(KNOWN)) {
    assert.deepEqual(await inGuest(code), result, name);
    assert.deepEqual(await inNode(code), result, `${name} in Node.js`);
  }
});

interface Signing {
  algorithm: Record<string, unknown>;
  /** Parameters of signatures. */
  signing: (Record<string, unknown> | string)[];
  raw?: boolean;
}

const rsa = (name: string, hash: string): Record<string, unknown> => ({
  name,
  hash,
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const HASHES = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const SIGNATURES: Record<string, Signing> = {
  'ECDSA P-256': {
    algorithm: { name: 'ECDSA', namedCurve: 'P-256' },
    signing: HASHES.map((hash) => ({ name: 'ECDSA', hash })),
    raw: true,
  },
  'ECDSA P-384': {
    algorithm: { name: 'ECDSA', namedCurve: 'P-384' },
    signing: HASHES.map((hash) => ({ name: 'ECDSA', hash })),
    raw: true,
  },
  'ECDSA P-521': {
    algorithm: { name: 'ECDSA', namedCurve: 'P-521' },
    signing: HASHES.map((hash) => ({ name: 'ECDSA', hash })),
    raw: true,
  },
  Ed25519: { algorithm: { name: 'Ed25519' }, signing: ['Ed25519'], raw: true },
  ...Object.fromEntries(
    HASHES.flatMap((hash) => [
      [`RSASSA-PKCS1-v1_5 ${hash}`, { algorithm: rsa('RSASSA-PKCS1-v1_5', hash), signing: ['RSASSA-PKCS1-v1_5'] }],
      [
        `RSA-PSS ${hash}`,
        {
          algorithm: rsa('RSA-PSS', hash),
          signing: [0, 20, 32].map((saltLength) => ({ name: 'RSA-PSS', saltLength })),
        },
      ],
    ]),
  ),
};

const SIGN = `
  const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const exported = [];
  for (const [format, key] of [['spki', publicKey], ['jwk', publicKey], ['pkcs8', privateKey], ['jwk', privateKey], ...(raw ? [['raw', publicKey]] : [])]) {
    const data = await subtle.exportKey(format, key);
    exported.push([format, key.type, format === 'jwk' ? data : new Uint8Array(data)]);
  }
  const signatures = [];
  for (const parameters of signing) {
    signatures.push(new Uint8Array(await subtle.sign(parameters, privateKey, utf8('signed'))));
  }
  return { exported, signatures };
`;
const VERIFY = `
  const shown = [];
  for (const [format, type, data] of exported) {
    const usage = type === 'public' ? 'verify' : 'sign';
    const key = await subtle.importKey(format, data, algorithm, true, [usage]);
    const again = await subtle.exportKey(format, key);
    if (format === 'jwk' ? JSON.stringify(sorted(again)) !== JSON.stringify(sorted(data)) : !same(again, data)) {
      return 'exported differently: ' + format;
    }
    shown.push(key.type, key.usages, key.extractable, { ...key.algorithm, publicExponent: undefined });
    if (type === 'public') {
      for (const [i, parameters] of signing.entries()) {
        const changed = new Uint8Array(signatures[i]);
        changed[7] ^= 1;
        if (!(await subtle.verify(parameters, key, signatures[i], utf8('signed')))) return 'not verified: ' + format;
        if (await subtle.verify(parameters, key, signatures[i], utf8('another'))) return 'verified for another text';
        if (await subtle.verify(parameters, key, changed, utf8('signed'))) return 'verified, but changed';
        // At its end: OpenSSL does not miss a zero at the beginning.
        if (await subtle.verify(parameters, key, signatures[i].slice(0, -1), utf8('signed'))) return 'verified, but cut off';
      }
    }
  }
  return shown;
  function sorted(jwk) { return Object.entries(jwk).sort().map(([name, value]) => [name, Array.isArray(value) ? value.length : value]); }
`;

for (const [name, { algorithm, signing, raw = false }] of Object.entries(SIGNATURES)) {
  test(`${name}: each side reads the keys of the other, and verifies its signatures`, async () => {
    const { inGuest } = await guestSide();
    const given = { algorithm, signing, raw };
    const shown: unknown[] = [];
    for (const [sign, verify] of [
      [inGuest, inNode],
      [inNode, inGuest],
    ] as const) {
      const made = (await sign(SIGN, given)) as Record<string, unknown>;
      const result = await verify(VERIFY, { ...given, ...made });
      assert.ok(Array.isArray(result), String(result));
      shown.push(JSON.parse(JSON.stringify(result)));
    }
    assert.deepEqual(shown[0], shown[1]);
  });
}

test('a signature of PKCS #1 is the same on both sides', async () => {
  const { inGuest } = await guestSide();
  const algorithm = rsa('RSASSA-PKCS1-v1_5', 'SHA-256');
  const make = `const { privateKey } = await subtle.generateKey(algorithm, true, ['sign']); return new Uint8Array(await subtle.exportKey('pkcs8', privateKey));`;
  const sign = `
    const key = await subtle.importKey('pkcs8', data, algorithm, false, ['sign']);
    return hex(await subtle.sign(algorithm.name, key, utf8('text')));`;
  const given = { algorithm, data: await inNode(make, { algorithm }) };
  assert.equal(await inGuest(sign, given), await inNode(sign, given));
});

test('RSA-OAEP: each side decrypts what the other has encrypted', async () => {
  const { inGuest } = await guestSide();
  const make = `
    const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']);
    return { spki: new Uint8Array(await subtle.exportKey('spki', publicKey)), jwk: await subtle.exportKey('jwk', privateKey) };`;
  const encrypt = `
    const key = await subtle.importKey('spki', spki, algorithm, false, ['encrypt']);
    return [new Uint8Array(await subtle.encrypt(parameters, key, utf8('secret'))), await failed(subtle.encrypt(parameters, key, new Uint8Array(129)))];`;
  const decrypt = `
    const key = await subtle.importKey('jwk', jwk, algorithm, false, ['decrypt']);
    const text = new TextDecoder().decode(await subtle.decrypt(parameters, key, encrypted));
    encrypted[5] ^= 1;
    return [text, await failed(subtle.decrypt(parameters, key, encrypted)), await failed(subtle.decrypt(parameters, key, new Uint8Array(3)))];`;
  for (const [hash, label] of [['SHA-1'], ['SHA-256', new Uint8Array([1, 2])], ['SHA-384']] as const) {
    const parameters = { name: 'RSA-OAEP', ...(label ? { label } : {}) };
    const algorithm = rsa('RSA-OAEP', hash);
    for (const [one, other] of [
      [inGuest, inNode],
      [inNode, inGuest],
    ] as const) {
      const given = { algorithm, parameters, ...((await one(make, { algorithm })) as object) };
      const [encrypted, error] = (await other(encrypt, given)) as [Uint8Array, string];
      assert.equal(error, 'OperationError');
      assert.deepEqual(await one(decrypt, { ...given, encrypted }), ['secret', 'OperationError', 'OperationError']);
    }
  }
});

for (const [name, algorithm] of Object.entries({
  'ECDH P-256': { name: 'ECDH', namedCurve: 'P-256' },
  'ECDH P-384': { name: 'ECDH', namedCurve: 'P-384' },
  'ECDH P-521': { name: 'ECDH', namedCurve: 'P-521' },
  X25519: { name: 'X25519' },
})) {
  test(`${name}: both sides derive the same`, async () => {
    const { inGuest } = await guestSide();
    const make = `
      const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['deriveBits', 'deriveKey']);
      return {
        raw: new Uint8Array(await subtle.exportKey('raw', publicKey)), jwk: await subtle.exportKey('jwk', publicKey),
        spki: new Uint8Array(await subtle.exportKey('spki', publicKey)), pkcs8: new Uint8Array(await subtle.exportKey('pkcs8', privateKey)),
        own: await subtle.exportKey('jwk', privateKey), shown: [publicKey.usages, privateKey.usages, privateKey.algorithm],
      };`;
    const derive = `
      const all = [];
      for (const [format, key] of [['pkcs8', mine.pkcs8], ['jwk', mine.own]]) {
        const privateKey = await subtle.importKey(format, key, algorithm, true, ['deriveBits', 'deriveKey']);
        for (const format of ['raw', 'spki', 'jwk']) {
          const publicKey = await subtle.importKey(format, theirs[format], algorithm, true, []);
          const parameters = { name: algorithm.name, public: publicKey };
          const aes = await subtle.deriveKey(parameters, privateKey, { name: 'AES-CBC', length: 256 }, true, ['encrypt']);
          all.push(hex(await subtle.deriveBits(parameters, privateKey, 256)), hex(await subtle.deriveBits(parameters, privateKey, 128)));
          all.push(hex(await subtle.deriveBits(parameters, privateKey, null)), hex(await subtle.exportKey('raw', aes)));
          all.push(await failed(subtle.deriveBits(parameters, privateKey, 1024)));
        }
      }
      return all;`;
    const [a, b] = [await inGuest(make, { algorithm }), await inNode(make, { algorithm })] as Record<string, unknown>[];
    const results = [
      await inGuest(derive, { algorithm, mine: a, theirs: b }),
      await inNode(derive, { algorithm, mine: a, theirs: b }),
      await inGuest(derive, { algorithm, mine: b, theirs: a }),
      await inNode(derive, { algorithm, mine: b, theirs: a }),
    ];
    for (const result of results) assert.deepEqual(result, results[0]);
    assert.deepEqual(JSON.parse(JSON.stringify(a?.shown)), JSON.parse(JSON.stringify(b?.shown)));
  });
}

test('a secret of P-521 has 528 bits, of which any number can be had', async () => {
  const { inGuest } = await guestSide();
  const algorithm = { name: 'ECDH', namedCurve: 'P-521' };
  const make = `
    const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['deriveBits']);
    return { spki: new Uint8Array(await subtle.exportKey('spki', publicKey)), pkcs8: new Uint8Array(await subtle.exportKey('pkcs8', privateKey)) };`;
  const derive = `
    const privateKey = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['deriveBits']);
    const parameters = { name: 'ECDH', public: await subtle.importKey('spki', spki, algorithm, false, []) };
    const all = [];
    for (const length of [null, 528, 521, 520, 523, 9]) all.push(hex(await subtle.deriveBits(parameters, privateKey, length)));
    return [...all, await failed(subtle.deriveBits(parameters, privateKey, 529))];`;
  const keys = await inNode(make, { algorithm });
  const results = (await inGuest(derive, { algorithm, ...(keys as object) })) as string[];
  assert.deepEqual(results, await inNode(derive, { algorithm, ...(keys as object) }));
  assert.deepEqual(
    results.map((text) => text.length / 2),
    [66, 66, 66, 65, 66, 2, 7],
  );
  assert.equal(results[6], 'OperationError');
});

const CHANGES = `
  const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [spki, pkcs8] = [await subtle.exportKey('spki', publicKey), await subtle.exportKey('pkcs8', privateKey)];
  return { spki: new Uint8Array(spki), pkcs8: new Uint8Array(pkcs8), jwk: await subtle.exportKey('jwk', privateKey) };
`;

test('keys that are cut off or changed are refused, and nothing worse happens', async () => {
  const { inGuest } = await guestSide();
  const tryAll = `
    const names = new Set();
    const attempt = async (format, data, usage) => {
      names.add(await subtle.importKey(format, data, algorithm, true, [usage]).then(() => 'imported', (error) => error.name));
    };
    for (const [format, whole, usage] of [['spki', spki, 'verify'], ['pkcs8', pkcs8, 'sign']]) {
      for (let size = 0; size < whole.length; size += 1 + (size >> 4)) await attempt(format, whole.slice(0, size), usage);
      for (let at = 0; at < Math.min(whole.length, 40); at++) {
        const changed = new Uint8Array(whole);
        changed[at] ^= 0x81;
        await attempt(format, changed, usage);
      }
    }
    const cut = [...names];
    names.clear();
    for (const member of Object.keys(jwk)) {
      if (['ext', 'key_ops', 'kty', 'crv', 'alg', 'e'].includes(member)) continue;
      for (const value of ['', 'A', '!', 'AAAA', '_'.repeat(5000), jwk[member] + 'AAAA', jwk[member] + '=']) await attempt('jwk', { ...jwk, [member]: value }, 'sign');
    }
    return { cut, members: [...names] };
  `;
  for (const algorithm of [
    { name: 'ECDSA', namedCurve: 'P-256' },
    { name: 'ECDSA', namedCurve: 'P-384' },
    { name: 'ECDSA', namedCurve: 'P-521' },
    { name: 'Ed25519' },
    rsa('RSA-PSS', 'SHA-256'),
  ]) {
    const keys = (await inNode(CHANGES, { algorithm })) as object;
    const { cut, members } = (await inGuest(tryAll, { algorithm, ...keys })) as { cut: string[]; members: string[] };
    assert.ok(cut.includes('DataError'), String(cut));
    assert.deepEqual(
      cut.filter((name) => name !== 'DataError' && name !== 'imported'),
      [],
    );
    assert.deepEqual(members, ['DataError'], `${algorithm.name}`);
  }
});

test('as in Node.js: errors', async () => {
  const { inGuest } = await guestSide();
  const code = `
    const ec = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const dh = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const other = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits']);
    const jwk = await subtle.exportKey('jwk', ec.publicKey);
    const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
    const attempts = [
      () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-255' }, true, ['sign']),
      () => subtle.generateKey({ name: 'ECDSA' }, true, ['sign']),
      () => subtle.generateKey(ecdsa, true, ['encrypt']),
      () => subtle.generateKey(ecdsa, true, ['verify']),
      () => subtle.generateKey('Ed25519', true, []),
      () => subtle.generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: [1, 0, 1], hash: 'SHA-1' }, true, ['sign']),
      () => subtle.exportKey('pkcs8', ec.privateKey),
      () => subtle.exportKey('pkcs8', ec.publicKey),
      () => subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, ec.publicKey, new Uint8Array(1)),
      () => subtle.sign('ECDSA', ec.privateKey, new Uint8Array(1)),
      () => subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, ec.privateKey, new Uint8Array(64), new Uint8Array(1)),
      () => subtle.deriveBits({ name: 'ECDH', public: other.publicKey }, dh.privateKey, 128),
      () => subtle.deriveBits({ name: 'ECDH', public: dh.privateKey }, dh.privateKey, 128),
      () => subtle.deriveBits({ name: 'ECDH', public: {} }, dh.privateKey, 128),
      () => subtle.deriveBits({ name: 'ECDH' }, dh.privateKey, 128),
      () => subtle.importKey('jwk', jwk, ecdsa, true, ['sign']),
      () => subtle.importKey('jwk', { ...jwk, crv: 'P-384' }, ecdsa, true, ['verify']),
      () => subtle.importKey('jwk', { ...jwk, kty: 'OKP' }, ecdsa, true, ['verify']),
      () => subtle.importKey('jwk', { ...jwk, use: 'enc' }, ecdsa, true, ['verify']),
      () => subtle.importKey('raw', new Uint8Array(65), ecdsa, true, ['verify']),
      () => subtle.importKey('raw', new Uint8Array(31), 'Ed25519', true, ['verify']),
      () => subtle.importKey('spki', new Uint8Array(31), { name: 'RSA-OAEP', hash: 'SHA-256' }, true, ['encrypt']),
    ];
    const names = [];
    for (const attempt of attempts) names.push(attempt.toString() + ': ' + (await failed(attempt())));
    return names;`;
  assert.deepEqual(await inGuest(code), await inNode(code));
  // What the specification says. Versions of Node.js differ.
  const exported = await inGuest(`
    const dh = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    return failed(subtle.exportKey('raw', dh.privateKey));`);
  assert.equal(exported, 'InvalidAccessError');
});
