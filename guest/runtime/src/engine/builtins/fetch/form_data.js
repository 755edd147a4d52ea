// FormData, as XMLHttpRequest's standard has it. Evaluated when one is first used.

import { interfaces, iterable, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { platformObjects } from 'hyperlight:platform';

const { File, isBlob, isFile } = lazy('blob');
const { toWellFormed } = String.prototype;

/** The entries of a form, pairs of names and values. */
export let entriesOf;
/** Whether a value is a FormData. */
export let isFormData;
/** A form with these entries. */
export let formOf;

export class FormData {
  #entries = [];

  static {
    entriesOf = (form) => form.#entries;
    isFormData = (value) => typeof value === 'object' && value !== null && #entries in value;
    formOf = (entries) => {
      const form = new FormData();
      form.#entries = entries;
      return form;
    };
    platformObjects((value) => #entries in value);
  }

  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError('there is no form that a FormData could be made of');
  }

  append(name, value, filename = undefined) {
    const entries = this.#entries;
    entries.push(entry(arguments));
  }

  delete(name) {
    const entries = this.#entries;
    requireArguments(arguments, 1);
    const text = textOf(name);
    this.#entries = entries.filter((pair) => pair[0] !== text);
  }

  get(name) {
    const entries = this.#entries;
    requireArguments(arguments, 1);
    const text = textOf(name);
    return entries.find((pair) => pair[0] === text)?.[1] ?? null;
  }

  getAll(name) {
    const entries = this.#entries;
    requireArguments(arguments, 1);
    const text = textOf(name);
    return entries.filter((pair) => pair[0] === text).map((pair) => pair[1]);
  }

  has(name) {
    const entries = this.#entries;
    requireArguments(arguments, 1);
    const text = textOf(name);
    return entries.some((pair) => pair[0] === text);
  }

  set(name, value, filename = undefined) {
    const entries = this.#entries;
    const pair = entry(arguments);
    const at = entries.findIndex((other) => other[0] === pair[0]);
    if (at < 0) entries.push(pair);
    else this.#entries = entries.flatMap((other, i) => (i === at ? [pair] : other[0] === pair[0] ? [] : [other]));
  }
}

interfaces(FormData);
iterable(FormData, (form) => entriesOf(form));

function textOf(value) {
  return toWellFormed.call(`${value}`);
}

/** An entry of the arguments of `append` and `set`. */
function entry(given) {
  requireArguments(given, 2);
  const [name, value, filename] = given;
  const text = textOf(name);
  if (!isBlob(value)) {
    if (given.length > 2) throw new TypeError('only a Blob can have a name');
    return [text, textOf(value)];
  }
  if (isFile(value) && filename === undefined) return [text, value];
  const lastModified = isFile(value) ? value.lastModified : undefined;
  const fileName = filename === undefined ? 'blob' : textOf(filename);
  return [text, new File([value], fileName, { type: value.type, lastModified })];
}
