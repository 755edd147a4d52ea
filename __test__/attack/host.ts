// What must hold on the host's side whatever guests have tried.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import * as api from '@hyperlight/js-host-api';

type Table = Map<object, Map<PropertyKey, PropertyDescriptor>>;

/** Objects that all code of the process shares: what the language and this package define, and what they inherit from. */
function sharedObjects(): Set<object> {
  const found = new Set<object>();
  const add = (value: unknown) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || found.has(value)) return;
    found.add(value);
    add(Object.getPrototypeOf(value));
    if (typeof value === 'function') add(value.prototype);
  };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    // The getters of Node.js load what they stand for.
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    add(value);
  }
  for (const value of [...Object.values(api), EventEmitter, globalThis]) add(value);
  for (const value of [async () => {}, function* () {}, async function* () {}, [].values(), new Map().keys()])
    add(value);
  return found;
}

function tableOf(objects: Iterable<object>): Table {
  return new Map(
    [...objects].map((object) => [
      object,
      new Map(Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key) ?? {}])),
    ]),
  );
}

/** Gives a function that fails if anything that all code of the process shares has changed since. */
export function watchHost(): () => void {
  const objects = sharedObjects();
  const before = tableOf(objects);
  const prototypes = new Map([...objects].map((object) => [object, Object.getPrototypeOf(object)]));
  return () => {
    for (const [object, properties] of tableOf(objects)) {
      const was = before.get(object);
      assert.equal(Object.getPrototypeOf(object), prototypes.get(object));
      assert.deepEqual([...properties.keys()], [...(was?.keys() ?? [])]);
      for (const [key, { value, get, set, ...flags }] of properties) {
        const { value: valueBefore, get: getBefore, set: setBefore, ...flagsBefore } = was?.get(key) ?? {};
        // A global of Node.js that is loaded when it is first asked for.
        if (object === globalThis && getBefore && !get) continue;
        const isSame = Object.is(value, valueBefore) && get === getBefore && set === setBefore;
        assert.ok(isSame, `${String(key)} has changed`);
        assert.deepEqual(flags, flagsBefore, String(key));
      }
    }
  };
}

/** Fails unless a value is data: what JSON has, `undefined`, or bytes, with the prototypes that these have. */
export function assertData(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    assert.ok(['string', 'number', 'boolean', 'undefined', 'object'].includes(typeof value), typeof value);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Uint8Array.prototype) return;
  assert.ok(prototype === (Array.isArray(value) ? Array.prototype : Object.prototype));
  assert.deepEqual(Object.getOwnPropertySymbols(value), []);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    assert.ok('value' in property, `${key} is an accessor`);
    assertData(property.value);
  }
}

/** Fails unless it is an error of this package with this code, and all that it has of the guest is data. */
export function assertPlainError(error: unknown, code: string): void {
  assert.ok(error instanceof Error && Object.getPrototypeOf(error) === Error.prototype);
  assert.equal((error as { code?: string }).code, code, error.stack);
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.stack, 'string');
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    assert.ok('value' in property || key === 'stack', `${key} is an accessor`);
    assertData(property.value);
  }
}
