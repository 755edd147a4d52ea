// SubtleCrypto: the interface. What its methods do is compiled when the first is called, or by a mention in a handler.

import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { importNow } from 'hyperlight:native';
import { platformObjects } from 'hyperlight:platform';

let module;
const operations = () => {
  module ??= importNow('hyperlight:crypto/operations');
  return module;
};
let isAllowed = true;

export class SubtleCrypto {
  #isSubtle;

  static {
    platformObjects((value) => #isSubtle in value);
  }

  constructor() {
    if (!isAllowed) throw new TypeError('there is one SubtleCrypto only');
  }

  async encrypt(algorithm, key, data) {
    this.#isSubtle;
    requireArguments(arguments, 3);
    return operations().encrypt(algorithm, key, data);
  }

  async decrypt(algorithm, key, data) {
    this.#isSubtle;
    requireArguments(arguments, 3);
    return operations().decrypt(algorithm, key, data);
  }

  async sign(algorithm, key, data) {
    this.#isSubtle;
    requireArguments(arguments, 3);
    return operations().sign(algorithm, key, data);
  }

  async verify(algorithm, key, signature, data) {
    this.#isSubtle;
    requireArguments(arguments, 4);
    return operations().verify(algorithm, key, signature, data);
  }

  async digest(algorithm, data) {
    this.#isSubtle;
    requireArguments(arguments, 2);
    return operations().digest(algorithm, data);
  }

  async generateKey(algorithm, extractable, keyUsages) {
    this.#isSubtle;
    requireArguments(arguments, 3);
    return operations().generateKey(algorithm, extractable, keyUsages);
  }

  async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    this.#isSubtle;
    requireArguments(arguments, 5);
    return operations().deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages);
  }

  async deriveBits(algorithm, baseKey, length = null) {
    this.#isSubtle;
    requireArguments(arguments, 2);
    return operations().deriveBits(algorithm, baseKey, length);
  }

  async importKey(format, keyData, algorithm, extractable, keyUsages) {
    this.#isSubtle;
    requireArguments(arguments, 5);
    return operations().importKey(format, keyData, algorithm, extractable, keyUsages);
  }

  async exportKey(format, key) {
    this.#isSubtle;
    requireArguments(arguments, 2);
    return operations().exportKey(format, key);
  }

  async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    this.#isSubtle;
    requireArguments(arguments, 4);
    return operations().wrapKey(format, key, wrappingKey, wrapAlgorithm);
  }

  async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
    this.#isSubtle;
    requireArguments(arguments, 7);
    return operations().unwrapKey(
      format,
      wrappedKey,
      unwrappingKey,
      unwrapAlgorithm,
      unwrappedKeyAlgorithm,
      extractable,
      keyUsages,
    );
  }
}

interfaces(SubtleCrypto);
export const subtle = new SubtleCrypto();
isAllowed = false;
