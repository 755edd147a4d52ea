// Event and CustomEvent, as the DOM Standard has them, where no target has a parent.

import { constants, interfaces, requireArguments } from 'hyperlight:interfaces';
import { dictionary, platformObjects } from 'hyperlight:platform';

// As it is now: guest code may change the original.
const now = performance.now.bind(performance);
const { defineProperty, getOwnPropertyDescriptor } = Object;

const NONE = 0;
const AT_TARGET = 2;

/** What is known of an event, which is nothing that guest code can reach. */
let stateOf;
/** Whether a value is an event. */
let isEvent;

class Event {
  #state;

  static {
    stateOf = (event) => event.#state;
    isEvent = (value) => typeof value === 'object' && value !== null && #state in value;
    platformObjects((value) => #state in value);
  }

  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments, 1);
    const text = `${type}`;
    const { bubbles, cancelable, composed } = dictionary(eventInitDict);
    defineProperty(this, 'isTrusted', IS_TRUSTED);
    this.#state = {
      type: text,
      bubbles: Boolean(bubbles),
      cancelable: Boolean(cancelable),
      composed: Boolean(composed),
      timeStamp: now(),
      target: null,
      phase: NONE,
      isTrusted: false,
      isDispatched: false,
      isPropagationStopped: false,
      isStopped: false,
      isPassive: false,
      isCanceled: false,
    };
  }

  get type() {
    return this.#state.type;
  }

  get target() {
    return this.#state.target;
  }

  get srcElement() {
    return this.#state.target;
  }

  get currentTarget() {
    return this.#state.phase === NONE ? null : this.#state.target;
  }

  composedPath() {
    return this.#state.phase === NONE ? [] : [this.#state.target];
  }

  get eventPhase() {
    return this.#state.phase;
  }

  stopPropagation() {
    this.#state.isPropagationStopped = true;
  }

  get cancelBubble() {
    return this.#state.isPropagationStopped;
  }

  set cancelBubble(value) {
    if (value) this.#state.isPropagationStopped = true;
  }

  stopImmediatePropagation() {
    this.#state.isPropagationStopped = true;
    this.#state.isStopped = true;
  }

  get bubbles() {
    return this.#state.bubbles;
  }

  get cancelable() {
    return this.#state.cancelable;
  }

  get returnValue() {
    return !this.#state.isCanceled;
  }

  set returnValue(value) {
    if (!value) cancel(this.#state);
  }

  preventDefault() {
    cancel(this.#state);
  }

  get defaultPrevented() {
    return this.#state.isCanceled;
  }

  get composed() {
    return this.#state.composed;
  }

  get timeStamp() {
    return this.#state.timeStamp;
  }

  initEvent(type, bubbles = false, cancelable = false) {
    requireArguments(arguments, 1);
    const state = this.#state;
    const text = `${type}`;
    if (state.isDispatched) return;
    Object.assign(state, {
      type: text,
      bubbles: Boolean(bubbles),
      cancelable: Boolean(cancelable),
      target: null,
      isTrusted: false,
      isPropagationStopped: false,
      isStopped: false,
      isCanceled: false,
    });
  }
}

/** A property of each event, which cannot be redefined. */
const IS_TRUSTED = {
  ...getOwnPropertyDescriptor(
    {
      get isTrusted() {
        return stateOf(this).isTrusted;
      },
    },
    'isTrusted',
  ),
  configurable: false,
};

function cancel(state) {
  if (state.cancelable && !state.isPassive) state.isCanceled = true;
}

class CustomEvent extends Event {
  #detail;

  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments, 1);
    super(type, eventInitDict);
    const { detail = null } = dictionary(eventInitDict);
    this.#detail = detail;
  }

  get detail() {
    return this.#detail;
  }

  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    requireArguments(arguments, 1);
    if (stateOf(this).isDispatched) return;
    super.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}

constants(Event, { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 });
interfaces(Event, CustomEvent);

/** An event that the guest's own code has not made. */
function trusted(event) {
  stateOf(event).isTrusted = true;
  return event;
}

export { AT_TARGET, CustomEvent, Event, isEvent, NONE, stateOf, trusted };
