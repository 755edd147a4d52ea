// What guest code cannot do with keys, and what cannot be done to the guest by way of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { guestSide, PRELUDE } from './crypto-sides';
import { load, loadBody, rejection } from './sandbox';
import { cases } from './web';

/** Has all that guest code can change say what it is given, before the code that is compiled late is. */
const SPY = `
  const seen = new Set();
  let isSpying = true;
  const secret = 'c'.repeat(32);
  const note = (value) => {
    if (!isSpying) return;
    try {
      if (typeof value === 'string') seen.add(value);
      else if (value instanceof NativeUint8Array) seen.add(NativeString(hexOf(value)));
      else if (value instanceof NativeBuffer) seen.add(hexOf(new NativeUint8Array(value)));
      else if (typeof value === 'object' && value !== null && !(value instanceof CryptoKey)) seen.add(stringify(value) ?? '');
    } catch {}
  };
  const { Uint8Array: NativeUint8Array, ArrayBuffer: NativeBuffer, String: NativeString, Reflect, Object, Function } = globalThis;
  const { stringify } = JSON;
  const { apply, ownKeys } = Reflect;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const lengthOf = getOwnPropertyDescriptor(Object.getPrototypeOf(NativeUint8Array.prototype), 'length').get;
  const hexOf = (array) => {
    let text = '';
    const length = apply(lengthOf, array, []);
    for (let i = 0; i < length; i++) text += '0123456789abcdef'[array[i] >> 4] + '0123456789abcdef'[array[i] & 15];
    return text;
  };
  const spied = (f) => function (...given) {
    note(this);
    for (let i = 0; i < given.length; i++) note(given[i]);
    const result = new.target ? Reflect.construct(f, given, new.target) : apply(f, this, given);
    note(result);
    return result;
  };
  const prototypes = [
    Uint8Array.prototype, Object.getPrototypeOf(Uint8Array.prototype), ArrayBuffer.prototype, DataView.prototype, Array.prototype,
    String.prototype, Function.prototype, Object.prototype, Promise.prototype, JSON, Reflect, Object, Array,
    Object.getPrototypeOf([][Symbol.iterator]()),
  ];
  for (const prototype of prototypes) {
    for (const name of ownKeys(prototype)) {
      const property = getOwnPropertyDescriptor(prototype, name);
      if (!property.configurable || name === 'constructor' || name === '__proto__') continue;
      for (const part of ['get', 'set', 'value']) {
        if (typeof property[part] === 'function') property[part] = spied(property[part]);
      }
      defineProperty(prototype, name, property);
    }
  }
  for (const name of ['k', 'd', 'p', 'q', 'x', 'handle', 'parts', 'secret', 'ext', 'oth', 'label', 'then']) {
    defineProperty(Object.prototype, name, { get() { note(this); return undefined; }, set(value) { note(this); note(value); }, configurable: true });
  }
  for (let i = 0; i < 32; i++) {
    const set = function (value) {
      note(value);
      defineProperty(this, i, { value, writable: true, enumerable: true, configurable: true });
    };
    defineProperty(Array.prototype, i, { get() { return undefined; }, set, configurable: true });
  }
  globalThis.TextDecoder = undefined;
`;

test('no change of what JavaScript has gives a key that is not exported', async () => {
  const sandbox = await load({
    f: `export default async function handler() {
      ${PRELUDE}
      const { Set: NativeSet } = globalThis;
      const wrapped = { kty: 'oct', k: btoa(String.fromCharCode(...new Uint8Array(16).fill(0xcc))).replace(/=+$/, '').replaceAll('/', '_') };
      const { subtle } = crypto;
      ${SPY}
      const raw = () => new NativeUint8Array(16).fill(0xcc);
      const all = [];
      const wrapping = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'wrapKey', 'unwrapKey']);
      const parameters = { name: 'AES-GCM', iv: new NativeUint8Array(12) };
      const text = new NativeUint8Array(await subtle.encrypt(parameters, wrapping, raw()));
      const jwk = new NativeUint8Array(await subtle.encrypt(parameters, wrapping, new TextEncoder().encode(stringify(wrapped))));
      const base = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveKey', 'deriveBits']);
      const agreed = hexOf(new NativeUint8Array(await subtle.deriveBits({ name: 'ECDH', public: base.publicKey }, base.privateKey, 128)));
      // From here on nothing is given to JavaScript that says what the keys are.
      seen.clear();
      all.push(await subtle.unwrapKey('raw', text, wrapping, parameters, 'AES-CBC', false, ['encrypt']));
      all.push(await subtle.unwrapKey('jwk', jwk, wrapping, parameters, 'AES-CBC', false, ['encrypt']));
      all.push(await subtle.unwrapKey('raw', text, wrapping, parameters, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']));
      all.push(await subtle.deriveKey({ name: 'ECDH', public: base.publicKey }, base.privateKey, { name: 'AES-CBC', length: 128 }, false, ['encrypt']));
      const iv = new NativeUint8Array(16);
      await subtle.encrypt({ name: 'AES-CBC', iv }, all[0], iv);
      await subtle.sign('HMAC', all[2], iv);
      structuredClone(all[0]);
      all[0].usages;
      const failures = [];
      for (const attempt of [
        () => subtle.wrapKey('raw', all[0], wrapping, parameters),
        () => subtle.wrapKey('raw', wrapping, all[0], { name: 'AES-CBC', iv }),
        () => subtle.exportKey('raw', all[0]),
        () => subtle.exportKey('jwk', all[0]),
        () => subtle.decrypt({ name: 'AES-CBC', iv }, all[0], iv),
      ]) failures[failures.length] = await failed(attempt());
      isSpying = false;
      const found = [];
      const near = (item, text) => item.includes(text) && found.push(item.slice(Math.max(0, item.indexOf(text) - 100), item.indexOf(text) + 40));
      for (const item of seen) near(item, secret) || near(item, agreed) || near(item, wrapped.k);
      return { found, hasSeen: seen.size > 0, failures };
    }`,
  });
  assert.deepEqual(await sandbox.callHandler('f', {}), {
    found: [],
    hasSeen: true,
    failures: Array(5).fill('InvalidAccessError'),
  });
});

cases({
  'a key is made by subtle only, and what it shows is not what it is': {
    code: `
      const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', false, ['encrypt']);
      key.algorithm.length = 256;
      key.usages.push('decrypt');
      const iv = new Uint8Array(16);
      return [
        thrown(() => new CryptoKey()), thrown(() => new SubtleCrypto()), thrown(() => new Crypto()),
        thrown(() => Object.create(CryptoKey.prototype).type), Object.keys(key),
        (await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, iv)).byteLength,
        await rejected(crypto.subtle.decrypt({ name: 'AES-CBC', iv }, key, iv)),
        await rejected(crypto.subtle.encrypt({ name: 'AES-CBC', iv }, Object.create(key), iv)),
        String(key), String(crypto.subtle), String(crypto), crypto instanceof Crypto, crypto.subtle === crypto.subtle,
      ];`,
    result: [
      'TypeError',
      'TypeError',
      'TypeError',
      'TypeError',
      [],
      32,
      'InvalidAccessError',
      'TypeError',
      '[object CryptoKey]',
      '[object SubtleCrypto]',
      '[object Crypto]',
      true,
      true,
    ],
    notInNode: 'changes what a key is by what it shows',
  },
  'a key can be cloned': {
    code: `
      const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', false, ['encrypt']);
      const { clone } = structuredClone({ clone: key });
      const encrypt = async (key) => [...new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, new Uint8Array(3)))];
      const [a, b] = [await encrypt(key), await encrypt(clone)];
      return [a.join() === b.join(), clone !== key, clone.extractable, clone.usages, clone.type, clone.algorithm];`,
    result: [true, true, false, ['encrypt'], 'secret', { name: 'AES-CBC', length: 128 }],
  },
  'what an operation is given is copied before it returns': {
    code: `
      const data = new TextEncoder().encode('abc');
      const promise = crypto.subtle.digest('SHA-1', data);
      data.fill(0);
      return new Uint8Array(await promise)[0];`,
    result: 0xa9,
  },
});

test('a public key with which every secret gives the same is refused', async () => {
  const { inGuest } = await guestSide();
  const code = `
    const { privateKey } = await subtle.generateKey('X25519', true, ['deriveBits']);
    const publicKey = await subtle.importKey('raw', new Uint8Array(32), 'X25519', true, []);
    const small = new Uint8Array(32);
    small[0] = 1;
    const verifying = await subtle.importKey('raw', small, 'Ed25519', true, ['verify']);
    const signature = new Uint8Array(64);
    signature[0] = 1;
    return [await failed(subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, 256)), await subtle.verify('Ed25519', verifying, signature, small)];`;
  assert.deepEqual(await inGuest(code), ['OperationError', false]);
});

test('what takes more memory than there is ends as an error of the guest, which goes on', async () => {
  const sandbox = await load({
    f: `import { scryptSync, pbkdf2Sync, hkdfSync, createCipheriv } from 'crypto';
      const attempt = (f) => { try { f(); return 'nothing'; } catch (error) { return error.name; } };
      export default async function handler() {
        const big = new Uint8Array(24 << 20);
        const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt']);
        const names = [
          attempt(() => scryptSync('p', 's', 32, { N: 2 ** 20, r: 8, maxmem: 2 ** 40 })),
          attempt(() => scryptSync('p', 's', 32, { N: 2 ** 30, r: 2 ** 20, maxmem: 2 ** 52 })),
          attempt(() => scryptSync('p', 's', 32, { N: 2, r: 1, p: 2 ** 25, maxmem: 2 ** 40 })),
          attempt(() => pbkdf2Sync('p', 's', 1, 2 ** 31 - 1, 'sha1')),
          attempt(() => createCipheriv('aes-128-ctr', big.subarray(0, 16), big.subarray(0, 16)).update(big)),
        ];
        const all = [];
        names.push(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, big).then(() => 'nothing', (error) => error.name));
        // Each operation meets a heap of which less is left than it may need.
        for (let size = 1 << 20; size >= 1 << 10; size >>= 1) {
          try { for (;;) all.push(new Uint8Array(size)); } catch {}
        }
        all.length -= 6;
        for (const f of [
          () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign']),
          () => crypto.subtle.generateKey('Ed25519', true, ['sign']),
          () => crypto.subtle.generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([3]), hash: 'SHA-1' }, true, ['sign']),
          () => crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(1)),
        ]) {
          try { await f(); names.push('nothing'); } catch (error) { names.push(error?.name ?? String(error)); }
        }
        all.length = 0;
        return names;
      }`,
  }).catch((error) => assert.fail(error));
  const names = (await sandbox.callHandler('f', {})) as string[];
  assert.equal(names.length, 10);
  assert.ok(
    names.slice(0, 6).every((name) => /Error$/.test(name)),
    String(names),
  );
  // JavaScript has less memory than native code: what needs little may do it or not, but must not end the guest.
  assert.ok(
    names.slice(6).every((name) => /^nothing$|Error$/.test(name)),
    String(names),
  );
  assert.deepEqual(await sandbox.callHandler('f', {}), names);
});

test('what takes long is stopped by the time limits, and the sandbox can be restored', async () => {
  const proto = await new SandboxBuilder().build();
  const runtime = await proto.loadRuntime();
  runtime.addHandler(
    'f',
    `import { pbkdf2Sync, scryptSync } from 'crypto';
     export default async function handler({ kind }) {
       if (kind === 'pbkdf2') return pbkdf2Sync('p', 's', 2 ** 31 - 1, 20, 'sha512').length;
       if (kind === 'scrypt') return scryptSync('p', 's', 20, { N: 2 ** 12, p: 2 ** 14, r: 8, maxmem: 2 ** 40 }).length;
       if (kind === 'rsa') {
         const algorithm = { name: 'RSA-PSS', modulusLength: 8192, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1' };
         for (;;) await crypto.subtle.generateKey(algorithm, true, ['sign']);
       }
       return 'done';
     }`,
  );
  const sandbox = await runtime.getLoadedSandbox();
  const snapshot = await sandbox.snapshot();
  for (const kind of ['pbkdf2', 'scrypt', 'rsa']) {
    await rejection('ERR_CANCELLED', sandbox.callHandler('f', { kind }, { wallClockTimeoutMs: 100 }));
    await sandbox.restore(snapshot);
    assert.equal(await sandbox.callHandler('f', { kind: 'none' }), 'done');
  }
});

test('a key is not what a handler can give away', async () => {
  const sandbox = await loadBody(
    "return crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', true, ['encrypt']);",
  );
  assert.deepEqual(await sandbox.callHandler('f', {}), {});
});
