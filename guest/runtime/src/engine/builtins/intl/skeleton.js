// Patterns of dates for the fields that are asked for: the nearest one of those that a locale has, with its fields as wide as
// asked for, and what it lacks added. It follows what Unicode's Technical Standard 35 says of skeletons.

const ORDER = [
  'era',
  'year',
  'quarter',
  'month',
  'weekday',
  'day',
  'dayPeriod',
  'hour',
  'minute',
  'second',
  'fraction',
  'zone',
];
const FIELDS = {
  G: 'era',
  y: 'year',
  Q: 'quarter',
  q: 'quarter',
  M: 'month',
  L: 'month',
  E: 'weekday',
  c: 'weekday',
  e: 'weekday',
  d: 'day',
  a: 'dayPeriod',
  b: 'dayPeriod',
  B: 'dayPeriod',
  h: 'hour',
  H: 'hour',
  K: 'hour',
  k: 'hour',
  m: 'minute',
  s: 'second',
  S: 'fraction',
  z: 'zone',
  v: 'zone',
  V: 'zone',
  O: 'zone',
  Z: 'zone',
};
/** What each field is called where it is added to a pattern. */
const APPENDED = {
  era: 'Era',
  year: 'Year',
  quarter: 'Quarter',
  month: 'Month',
  weekday: 'Day-Of-Week',
  day: 'Day',
  dayPeriod: 'Day',
  hour: 'Hour',
  minute: 'Minute',
  second: 'Second',
  fraction: 'Second',
  zone: 'Timezone',
};
/** How far the letters of a field are from each other. */
const SHIFTS = { L: 1, c: 2, e: 1, b: 1, B: 3, H: 10, k: 11, K: 1, O: 1, v: 2, V: 3, Z: 1, q: 1 };
const NUMERIC_ONLY = new Set(['y', 'd', 'h', 'H', 'K', 'k', 'm', 's', 'S']);
const TEXT_ONLY = new Set(['G', 'E', 'a', 'b', 'B', 'z', 'v', 'V', 'O', 'Z']);
const STEP = 0x10;
const EXTRA = 0x10000;
const MISSING = 0x1000;
const OF_DATES = ORDER.slice(0, 6);

/** Whether hours are counted twice a day. */
function isHalfDay({ letter }) {
  return letter === 'h' || letter === 'K';
}

/** A pattern as `{ letter, length }` and `{ literal }`. */
export function tokens(pattern) {
  const result = [];
  const literal = (text) => {
    const last = result.at(-1);
    if (last?.literal !== undefined) last.literal += text;
    else result.push({ literal: text });
  };
  for (const [text, quoted, letters] of pattern.matchAll(/'((?:[^']|'')*)'|(([A-Za-z])\3*)|[^A-Za-z']+/g)) {
    if (quoted !== undefined) literal(quoted === '' ? "'" : quoted.replace(/''/g, "'"));
    else if (letters !== undefined) result.push({ letter: letters[0], length: letters.length });
    else literal(text);
  }
  return result;
}

export function patternOf(list) {
  return list
    .map((token) =>
      token.literal === undefined
        ? token.letter.repeat(token.length)
        : /[A-Za-z']/.test(token.literal)
          ? `'${token.literal.replace(/'/g, "''")}'`
          : token.literal,
    )
    .join('');
}

/** The fields of a skeleton or a pattern: of each its letter, its length, and a number that says how it is shown. */
function fieldsOf(pattern) {
  const fields = { __proto__: null };
  const list = tokens(pattern);
  const hasHour = list.some(({ letter }) => FIELDS[letter] === 'hour');
  for (const { letter, length } of list) {
    const field = letter && FIELDS[letter];
    // Beside an hour it only says which hour that is.
    if (field && !(letter === 'a' && hasHour)) fields[field] = { letter, length, type: typeOf(letter, length) };
  }
  return fields;
}

function typeOf(letter, length) {
  const shift = (SHIFTS[letter] ?? 0) * STEP;
  if (NUMERIC_ONLY.has(letter) || (!TEXT_ONLY.has(letter) && length < 3)) return 0x100 + shift + length;
  const width = length < 4 ? 3 : length === 4 ? 4 : 1;
  return -0x100 - width - shift;
}

/** The patterns of a locale by their skeletons. */
export class Patterns {
  #dates;
  #candidates;
  #decimal;

  constructor(dates, decimal) {
    this.#dates = dates;
    this.#decimal = decimal;
    const bySkeleton = new Map();
    for (const letter of 'GyQMEdaHmsSv') bySkeleton.set(letter, letter);
    for (const formats of [dates.date, dates.time]) {
      for (const pattern of Object.values(formats)) bySkeleton.set(skeletonOf(pattern), pattern);
    }
    for (const [skeleton, pattern] of Object.entries(dates.available)) bySkeleton.set(skeleton, pattern);
    this.#candidates = [...bySkeleton].map(([skeleton, pattern]) => ({ fields: fieldsOf(skeleton), pattern }));
  }

  /** The pattern for a skeleton. */
  best(skeleton) {
    const { fraction, ...asked } = fieldsOf(skeleton);
    // A part of a second follows the second.
    if (fraction && asked.second) return withFraction(this.#best(asked), fraction.length, this.#decimal);
    if (fraction) asked.fraction = fraction;
    return this.#best(asked);
  }

  #best(asked) {
    const found = this.#nearest(asked);
    if (found.missing.length === 0 && !found.hasExtra) return adjusted(found, asked);
    const part = (isOf) => Object.fromEntries(Object.entries(asked).filter(([field]) => isOf(field)));
    const date = this.#appended(part((field) => OF_DATES.includes(field)));
    const time = this.#appended(part((field) => !OF_DATES.includes(field)));
    if (!date || !time) return date || time;
    return glued(this.#glue(asked), date, time);
  }

  #glue({ month, weekday }) {
    const { atTime } = this.#dates;
    if (month?.length === 4) return weekday ? atTime.full : atTime.long;
    return month?.length === 3 ? atTime.medium : atTime.short;
  }

  #nearest(asked) {
    let best;
    for (const { fields, pattern } of this.#candidates) {
      if (asked.hour && fields.hour && isHalfDay(asked.hour) !== isHalfDay(fields.hour)) continue;
      let distance = 0;
      const missing = [];
      let hasExtra = false;
      for (const field of ORDER) {
        const wanted = asked[field]?.type ?? 0;
        const type = fields[field]?.type ?? 0;
        if (wanted === type) continue;
        if (wanted === 0) {
          distance += EXTRA;
          hasExtra = true;
        } else if (type === 0) {
          distance += MISSING;
          missing.push(field);
        } else distance += Math.abs(wanted - type);
      }
      if (!best || distance < best.distance) best = { distance, missing, hasExtra, pattern, fields };
    }
    return best;
  }

  #appended(asked) {
    let rest = asked;
    let result;
    while (Object.keys(rest).length > 0) {
      const found = this.#nearest(rest);
      const names = Object.keys(rest);
      const { missing } = found;
      if (missing.length >= names.length) break;
      const pattern = adjusted(found, asked);
      if (result === undefined) result = pattern;
      else {
        const top = names.filter((field) => !missing.includes(field)).at(-1);
        const format = this.#dates.append[APPENDED[top]]?.replace(/\{2\}: ?/, '') ?? '{0} {1}';
        result = glued(format, pattern, result);
      }
      rest = Object.fromEntries(missing.map((field) => [field, rest[field]]));
    }
    return result ?? '';
  }

  /** The patterns of a range with these fields, by the largest field that differs. */
  interval(skeleton) {
    const asked = fieldsOf(skeleton);
    let best;
    for (const [key, patterns] of Object.entries(this.#dates.intervals)) {
      if (typeof patterns === 'string') continue;
      const fields = fieldsOf(key);
      if (ORDER.some((field) => field in asked !== field in fields)) continue;
      const distance = Object.keys(asked).reduce(
        (sum, field) => sum + Math.abs(asked[field].type - fields[field].type),
        0,
      );
      if (!best || distance < best.distance) best = { distance, patterns, fields };
    }
    if (!best) return undefined;
    return (field) => {
      const pattern = best.patterns[field];
      return pattern && adjusted({ pattern, fields: best.fields }, asked);
    };
  }
}

/** Puts two patterns into a third. What is not of the others stays quoted. */
export function glued(format, date, time) {
  return format.replace(/\{([01])\}/g, (_, place) => (place === '1' ? date : time));
}

function withFraction(pattern, length, decimal) {
  return patternOf(
    tokens(pattern).flatMap((token) =>
      token.letter === 's' ? [token, { literal: decimal }, { letter: 'S', length }] : [token],
    ),
  );
}

/** A pattern with its fields as wide as asked for. */
function adjusted({ pattern, fields }, asked) {
  return patternOf(
    tokens(pattern).map((token) => {
      const field = token.letter && FIELDS[token.letter];
      // Where a part of the day is not asked for, only the half of it is told.
      const isHalf = field === 'dayPeriod' && asked.hour && !asked.dayPeriod;
      if (isHalf) return { letter: 'a', length: token.letter === 'a' ? token.length : 1 };
      const wanted = field && asked[field];
      if (!wanted) return token;
      let { length } = wanted;
      if (wanted.letter === 'E' && length < 3) length = 3;
      if (field === 'minute' || field === 'second') length = token.length;
      else if (fields[field]) {
        const isNumeric = typeOf(token.letter, token.length) > 0;
        const wasNumeric = fields[field].type > 0;
        if (fields[field].length === wanted.length || isNumeric !== wasNumeric) length = token.length;
      }
      const keeps = field === 'hour' || field === 'month' || field === 'weekday' || field === 'year';
      return { letter: keeps ? token.letter : wanted.letter, length };
    }),
  );
}

/** The skeleton of a pattern: its fields in a certain order. */
export function skeletonOf(pattern) {
  const found = {};
  for (const { letter, length } of tokens(pattern)) {
    const field = letter && FIELDS[letter];
    if (!field || letter === 'a') continue;
    const [of] = { L: 'M', c: 'E' }[letter] ?? letter;
    found[field] = of.repeat(letter === 'E' || letter === 'c' ? (length < 4 ? 1 : length) : length);
  }
  return ORDER.map((field) => found[field] ?? '').join('');
}
