// The global `performance`, as High Resolution Time and User Timing have it. What keeps entries is compiled with the first.

import { EventTarget } from 'hyperlight:event_target';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { timeOrigin } from 'hyperlight:native';

// The engine's own says that time began at 0: when it was made, there was no clock yet.
export const { now } = globalThis.performance;

let isAllowed = true;

export class Performance extends EventTarget {
  #isPerformance;

  constructor() {
    if (!isAllowed) throw new TypeError('there is one Performance only');
    super();
  }

  now() {
    this.#isPerformance;
    return now();
  }

  get timeOrigin() {
    this.#isPerformance;
    return timeOrigin();
  }

  toJSON() {
    this.#isPerformance;
    return { timeOrigin: timeOrigin() };
  }

  mark(markName, markOptions = undefined) {
    this.#isPerformance;
    requireArguments(arguments, 1);
    return lazy('timeline').mark(markName, markOptions);
  }

  clearMarks(markName = undefined) {
    this.#isPerformance;
    lazy('timeline').clear('mark', markName);
  }

  measure(measureName, startOrMeasureOptions = undefined, endMark = undefined) {
    this.#isPerformance;
    requireArguments(arguments, 1);
    return lazy('timeline').measure(measureName, startOrMeasureOptions, endMark);
  }

  clearMeasures(measureName = undefined) {
    this.#isPerformance;
    lazy('timeline').clear('measure', measureName);
  }

  getEntries() {
    this.#isPerformance;
    return lazy('timeline').entries();
  }

  getEntriesByType(type) {
    this.#isPerformance;
    requireArguments(arguments, 1);
    return lazy('timeline').entries(undefined, `${type}`);
  }

  getEntriesByName(name, type = undefined) {
    this.#isPerformance;
    requireArguments(arguments, 1);
    return lazy('timeline').entries(`${name}`, type === undefined ? undefined : `${type}`);
  }
}

interfaces(Performance);
export const performance = new Performance();
isAllowed = false;
