// Decimal numbers of any size, and how they are rounded: `{ isNegative, digits, exponent }` is digits × 10^exponent, of a
// BigInt. What is no such number is `{ isNegative, special: 'nan' | 'infinity' }`.

const NUMERAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;

/** What a value means to formats of numbers: of a text, all of its digits. */
export function decimalOf(value) {
  const primitive = typeof value === 'object' || typeof value === 'function' ? primitiveOf(value) : value;
  if (typeof primitive === 'bigint') {
    return { isNegative: primitive < 0n, digits: primitive < 0n ? -primitive : primitive, exponent: 0 };
  }
  if (typeof primitive !== 'string') return fromNumber(Number(primitive));
  const number = Number(primitive);
  const text = primitive.trim();
  if (!Number.isFinite(number) || number === 0 || /^0[box]/i.test(text)) {
    return /^0[box]/i.test(text) && Number.isFinite(number) ? decimalOf(BigInt(text)) : fromNumber(number);
  }
  return parsed(text);
}

function primitiveOf(value) {
  if (value === null) return 0;
  const convert = value[Symbol.toPrimitive];
  if (convert !== undefined && convert !== null) {
    const result = Reflect.apply(convert, value, ['number']);
    if (typeof result !== 'object' && typeof result !== 'function') return result;
    throw new TypeError('Cannot convert object to primitive value');
  }
  for (const name of ['valueOf', 'toString']) {
    const method = value[name];
    if (typeof method !== 'function') continue;
    const result = Reflect.apply(method, value, []);
    if (result === null || (typeof result !== 'object' && typeof result !== 'function')) return result;
  }
  throw new TypeError('Cannot convert object to primitive value');
}

export function fromNumber(number) {
  if (Number.isNaN(number)) return { isNegative: false, special: 'nan' };
  const isNegative = number < 0 || Object.is(number, -0);
  if (!Number.isFinite(number)) return { isNegative, special: 'infinity' };
  return { ...parsed(`${Math.abs(number)}`), isNegative };
}

function parsed(text) {
  const [, sign, integer, fraction, exponent] = NUMERAL.exec(text);
  const digits = BigInt(`${integer}${fraction}`);
  return { isNegative: sign === '-', digits, exponent: Number(exponent ?? 0) - fraction.length };
}

export function isZero(decimal) {
  return decimal.digits === 0n;
}

/** The power of ten of its first digit. */
export function magnitude({ digits, exponent }) {
  return digits === 0n ? 0 : `${digits}`.length - 1 + exponent;
}

export function scaled(decimal, power) {
  return decimal.special || isZero(decimal) ? decimal : { ...decimal, exponent: decimal.exponent + power };
}

export function compare(a, b) {
  const order = (x) => (x.special ? (x.isNegative ? -1 : 1) * 2 : isZero(x) ? 0 : x.isNegative ? -1 : 1);
  if (order(a) !== order(b)) return order(a) - order(b);
  if (a.special || isZero(a)) return 0;
  const shift = Math.min(a.exponent, b.exponent);
  const [x, y] = [a, b].map(({ digits, exponent }) => digits * 10n ** BigInt(exponent - shift));
  const larger = x === y ? 0 : x > y ? 1 : -1;
  return a.isNegative ? -larger : larger;
}

/** The multiple of `increment` × 10^place that stands for a number in a mode. */
function rounded({ isNegative, digits, exponent }, place, increment, mode) {
  const shift = exponent - place;
  const numerator = shift > 0 ? digits * 10n ** BigInt(shift) : digits;
  const denominator = shift < 0 ? BigInt(increment) * 10n ** BigInt(-shift) : BigInt(increment);
  const below = numerator / denominator;
  const rest = numerator % denominator;
  const isUp = rest !== 0n && roundsUp(isNegative, below, 2n * rest, denominator, mode);
  return { isNegative, digits: (isUp ? below + 1n : below) * BigInt(increment), exponent: place };
}

function roundsUp(isNegative, below, twice, whole, mode) {
  switch (mode) {
    case 'ceil':
      return !isNegative;
    case 'floor':
      return isNegative;
    case 'expand':
      return true;
    case 'trunc':
      return false;
  }
  if (twice !== whole) return twice > whole;
  switch (mode) {
    case 'halfCeil':
      return !isNegative;
    case 'halfFloor':
      return isNegative;
    case 'halfTrunc':
      return false;
    case 'halfEven':
      return below % 2n === 1n;
    default:
      return true;
  }
}

/** The digits of a number, rounded: `{ integer, fraction, isNegative, decimal }`. */
export function shown(decimal, options) {
  const { rounding, mode, increment } = options;
  let result;
  if (rounding === 'fractionDigits') result = withFraction(decimal, options, increment, mode);
  else if (rounding === 'significantDigits') result = withSignificant(decimal, options, mode);
  else {
    const bySignificant = withSignificant(decimal, options, mode);
    const byFraction = withFraction(decimal, options, 1, mode);
    const isFiner = bySignificant.place <= byFraction.place;
    result = isFiner === (rounding === 'morePrecision') ? bySignificant : byFraction;
  }
  let { integer, fraction } = result;
  if (options.trailing === 'stripIfInteger' && /^0*$/.test(fraction)) fraction = '';
  integer = integer.padStart(options.integer, '0');
  return { integer, fraction, isNegative: decimal.isNegative, decimal: result.decimal };
}

function withFraction(decimal, { leastFraction, mostFraction }, increment, mode) {
  const result = rounded(decimal, -mostFraction, increment, mode);
  return { ...split(result.digits, mostFraction, leastFraction), place: -mostFraction, decimal: result };
}

function withSignificant(decimal, { leastSignificant, mostSignificant }, mode) {
  let place = magnitude(decimal) - mostSignificant + 1;
  let result = decimal;
  if (!isZero(decimal)) {
    result = rounded(decimal, place, 1, mode);
    // 9.99 may become 10.0, which has a digit more.
    if (magnitude(result) > magnitude(decimal)) {
      place++;
      result = { ...result, digits: result.digits / 10n, exponent: place };
    }
  } else result = { ...decimal, digits: 0n, exponent: place };
  const least = isZero(decimal) ? leastSignificant - 1 : leastSignificant - 1 - magnitude(result);
  if (place >= 0) {
    const digits = result.digits * 10n ** BigInt(place);
    return {
      ...split(digits * 10n ** BigInt(Math.max(0, least)), Math.max(0, least), Math.max(0, least)),
      place,
      decimal: result,
    };
  }
  return { ...split(result.digits, -place, Math.max(0, least)), place, decimal: result };
}

function split(digits, places, least) {
  const text = `${digits}`.padStart(places + 1, '0');
  const integer = text.slice(0, text.length - places);
  let fraction = text.slice(text.length - places);
  let length = fraction.length;
  while (length > least && fraction[length - 1] === '0') length--;
  fraction = fraction.slice(0, length);
  return { integer, fraction };
}
