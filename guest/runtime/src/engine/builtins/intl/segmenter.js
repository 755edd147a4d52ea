// Intl.Segmenter.

import { intlClass, resolve, slotsOf, supported } from 'hyperlight:intl/locales';
import { matcher, objectOrNone, text } from 'hyperlight:intl/options';
import { segmentEnds } from 'hyperlight:native/intl';

const objects = new WeakMap();
const segmented = new WeakMap();
const iterators = new WeakMap();
const IS_WORD = 2 ** 31;
/** Scripts whose words only a dictionary tells, which would be larger than all else. */
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

export class Segmenter {
  constructor(locales, options) {
    const given = objectOrNone(options);
    matcher(given);
    const { locale } = resolve(locales, {});
    const granularity = text(given, 'granularity', ['grapheme', 'word', 'sentence'], 'grapheme');
    objects.set(this, { locale, granularity });
  }

  segment(input) {
    const { granularity } = slotsOf(objects, this, 'Intl.Segmenter.prototype.segment');
    const given = `${input}`;
    if (granularity === 'word' && WITHOUT_SPACES.test(given)) {
      throw new RangeError(
        'Words of Chinese, Japanese, Thai, Lao, Khmer and Burmese text cannot be told: there is no dictionary',
      );
    }
    const segments = Object.create(Segments);
    segmented.set(segments, { input: given, granularity, ends: undefined });
    return segments;
  }

  resolvedOptions() {
    const { locale, granularity } = slotsOf(objects, this, 'Intl.Segmenter.prototype.resolvedOptions');
    return { locale, granularity };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(Segmenter);

function endsOf(slots) {
  slots.ends ??= new Uint32Array(segmentEnds(slots.input, slots.granularity).buffer);
  return slots.ends;
}

/** The segment of a number. */
function segmentAt({ input, granularity, ends }, number) {
  const endOf = (i) => ends[i] % IS_WORD;
  const index = number === 0 ? 0 : endOf(number - 1);
  const result = { segment: input.slice(index, endOf(number)), index, input };
  if (granularity === 'word') result.isWordLike = ends[number] >= IS_WORD;
  return result;
}

const Segments = {
  containing(index) {
    const slots = slotsOf(segmented, this, '%Segments.prototype%.containing');
    const at = Math.trunc(+index) || 0;
    if (at < 0 || at >= slots.input.length) return undefined;
    const ends = endsOf(slots);
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (ends[middle] % IS_WORD > at) high = middle;
      else low = middle + 1;
    }
    return segmentAt(slots, low);
  },
  [Symbol.iterator]() {
    const slots = slotsOf(segmented, this, '%Segments.prototype%[Symbol.iterator]');
    const iterator = Object.create(SegmentIterator);
    iterators.set(iterator, { slots, at: 0 });
    return iterator;
  },
};

const SegmentIterator = {
  __proto__: Iterator.prototype,
  next() {
    const state = slotsOf(iterators, this, '%SegmentIterator.prototype%.next');
    if (state.at >= endsOf(state.slots).length) return { value: undefined, done: true };
    return { value: segmentAt(state.slots, state.at++), done: false };
  },
};
Object.defineProperty(SegmentIterator, Symbol.toStringTag, { value: 'Segmenter String Iterator', configurable: true });
for (const [object, name] of [
  [Segments, 'containing'],
  [Segments, Symbol.iterator],
  [SegmentIterator, 'next'],
]) {
  Object.defineProperty(object, name, { enumerable: false });
}
