// EventTarget, as the DOM Standard has it, where no target has a parent. The global object is one too.

import { AT_TARGET, isEvent, NONE, stateOf as stateOfEvent, trusted } from 'hyperlight:event';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { platformObjects } from 'hyperlight:platform';

// As they are now: guest code may change the originals.
const { console, DOMException, globalThis: globals } = globalThis;
const { apply } = Reflect;
const { filter, findIndex } = Array.prototype;
const { defineProperty } = Object;

/** What is known of a target, which is nothing that guest code can reach. */
let stateOf;

class EventTarget {
  #state = newState();

  static {
    const ofGlobals = newState();
    // A method that is called without a target means the global object.
    stateOf = (target) => (target === globals || target === undefined || target === null ? ofGlobals : target.#state);
    platformObjects((value) => #state in value);
  }

  addEventListener(type, callback, options = undefined) {
    requireArguments(arguments, 2);
    const state = stateOf(this);
    const text = `${type}`;
    checkListener(callback);
    const { capture, once, passive, signal } = listenerOptions(options);
    if (signal !== undefined && !isSignal(signal)) throw new TypeError('the signal is no AbortSignal');
    if (signal?.aborted || callback === null || callback === undefined) return;
    if (find(state, text, callback, capture) >= 0) return;
    const listener = { type: text, callback, capture, once, passive, isRemoved: false };
    state.listeners[state.listeners.length] = listener;
    if (signal) onAbort(signal, () => remove(state, listener));
  }

  removeEventListener(type, callback, options = undefined) {
    requireArguments(arguments, 2);
    const state = stateOf(this);
    const text = `${type}`;
    checkListener(callback);
    const place = find(state, text, callback, captureOf(options));
    if (place >= 0) remove(state, state.listeners[place]);
  }

  dispatchEvent(event) {
    requireArguments(arguments, 1);
    stateOf(this);
    if (!isEvent(event)) throw new TypeError('what is dispatched must be an Event');
    const state = stateOfEvent(event);
    if (state.isDispatched) throw new DOMException('the event is being dispatched already', 'InvalidStateError');
    state.isTrusted = false;
    dispatch(this ?? globals, event);
    return !state.isCanceled;
  }
}

interfaces(EventTarget);

function newState() {
  return { __proto__: null, listeners: [], handlers: { __proto__: null } };
}

// What AbortSignal adds.
let isSignal;
let onAbort;

/** Has listeners end with a signal, by how one is told and what is done when it is aborted. */
function useSignals(isOne, whenAborted) {
  isSignal = isOne;
  onAbort = whenAborted;
}

/** Dispatches an event that nobody has made but us. */
function fire(target, event) {
  dispatch(target, trusted(event));
  return !stateOfEvent(event).isCanceled;
}

function dispatch(target, event) {
  const state = stateOfEvent(event);
  state.isDispatched = true;
  state.target = target;
  state.phase = AT_TARGET;
  const all = stateOf(target);
  // Those that are added meanwhile are not called; capturing ones are called first.
  const listeners = apply(filter, all.listeners, [({ type }) => type === state.type]);
  if (!state.isPropagationStopped) callAll(target, event, all, listeners, true);
  if (!state.isPropagationStopped) callAll(target, event, all, listeners, false);
  state.phase = NONE;
  state.isDispatched = false;
  state.isPropagationStopped = false;
  state.isStopped = false;
}

function callAll(target, event, all, listeners, capture) {
  const state = stateOfEvent(event);
  for (let i = 0; i < listeners.length; i++) {
    const listener = listeners[i];
    if (state.isStopped) return;
    if (listener.isRemoved || listener.capture !== capture) continue;
    if (listener.once) remove(all, listener);
    state.isPassive = listener.passive;
    try {
      const { callback } = listener;
      if (typeof callback === 'function') apply(callback, target, [event]);
      else {
        const { handleEvent } = callback;
        if (typeof handleEvent !== 'function') throw new TypeError('the listener has no method handleEvent');
        apply(handleEvent, callback, [event]);
      }
    } catch (error) {
      report(error);
    }
    state.isPassive = false;
  }
}

/** Tells of what a listener threw. */
let report = (error) => console.error(error);

/** Has it told in another way. */
function reportBy(other) {
  report = other;
}

function checkListener(callback) {
  if (callback === null || callback === undefined || typeof callback === 'object' || typeof callback === 'function')
    return;
  throw new TypeError('the listener is neither a function nor an object');
}

function find(state, type, callback, capture) {
  return apply(findIndex, state.listeners, [
    (listener) => listener.type === type && listener.callback === callback && listener.capture === capture,
  ]);
}

function remove(state, listener) {
  listener.isRemoved = true;
  state.listeners = apply(filter, state.listeners, [(other) => other !== listener]);
}

function isObject(value) {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function captureOf(options) {
  return Boolean(isObject(options) ? options.capture : options);
}

function listenerOptions(options) {
  const capture = captureOf(options);
  if (!isObject(options)) return { capture, once: false, passive: false, signal: undefined };
  const { once, passive, signal } = options;
  return { capture, once: Boolean(once), passive: Boolean(passive), signal };
}

/** Defines `on…` on objects: a listener that keeps its place when it is replaced. `call` calls a handler with an event. */
function handlerProperty(object, type, call = (handler, target, event) => apply(handler, target, [event])) {
  const property = `on${type}`;
  const { get, set } = Object.getOwnPropertyDescriptor(
    {
      get [property]() {
        return stateOf(this).handlers[type]?.handler ?? null;
      },
      set [property](handler) {
        const target = this ?? globals;
        const { handlers } = stateOf(target);
        const known = handlers[type];
        if (isObject(handler)) {
          if (known) known.handler = handler;
          else {
            const own = { handler };
            own.callback = (event) => {
              if (typeof own.handler === 'function') call(own.handler, target, event);
            };
            handlers[type] = own;
            apply(EventTarget.prototype.addEventListener, target, [type, own.callback]);
          }
        } else if (known) {
          apply(EventTarget.prototype.removeEventListener, target, [type, known.callback]);
          delete handlers[type];
        }
      },
    },
    property,
  );
  defineProperty(object, property, { get, set, configurable: true, enumerable: true });
}

export { EventTarget, fire, handlerProperty, reportBy, useSignals };
