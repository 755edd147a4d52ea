// Texts as they are shown: in quotes, with escapes, and how wide they are.

const { charCodeAt, includes, normalize, padStart, slice } = String.prototype;
const { apply } = Reflect;
const { exec, test } = RegExp.prototype;
const numberText = Number.prototype.toString;

const NAMED = { __proto__: null, 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 92: '\\\\' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const TO_ESCAPE = /[\x00-\x1f'\\\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const has = (text, part) => apply(includes, text, [part]);

function escaped(unit, quote) {
  if (unit === 39) return quote === "'" ? "\\'" : "'";
  if (NAMED[unit]) return NAMED[unit];
  const digits = apply(numberText, unit, [16]);
  return unit > 0xff ? `\\u${digits}` : `\\x${apply(padStart, digits.toUpperCase(), [2, '0'])}`;
}

const isLead = (unit) => unit >= 0xd800 && unit <= 0xdbff;
const isTrail = (unit) => unit >= 0xdc00 && unit <= 0xdfff;

/** A text as a literal, in the quotes that need the least escapes. */
export function quoted(text) {
  if (apply(exec, TO_ESCAPE, [text]) === null) return `'${text}'`;
  let quote = "'";
  if (has(text, "'")) {
    if (!has(text, '"')) quote = '"';
    else if (!has(text, '`') && !has(text, '${')) quote = '`';
  }
  return quote + withEscapes(text, quote) + quote;
}

/** A text with escapes for all that has no shape of its own, and for single quotes within such. */
export function withEscapes(text, quote = "'") {
  let result = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = apply(charCodeAt, text, [i]);
    if (isLead(unit) && i + 1 < text.length && isTrail(apply(charCodeAt, text, [i + 1]))) {
      i += 1;
      continue;
    }
    const isSurrogate = isLead(unit) || isTrail(unit);
    if (!(unit < 32 || unit === 39 || unit === 92 || (unit >= 0x7f && unit <= 0x9f) || isSurrogate)) continue;
    result += apply(slice, text, [from, i]) + escaped(unit, quote);
    from = i + 1;
  }
  return result + apply(slice, text, [from]);
}

const PLAIN = /^[\x20-\x7e]*$/;

// Two columns for the scripts of East Asia and for pictures, none for marks that combine.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u303e\u3040-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6fc}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NONE = /[\p{Cc}\p{Cf}\p{Mn}\p{Me}]/u;

/** Columns that a text takes on a terminal. */
export function width(text) {
  if (apply(test, PLAIN, [text])) return text.length;
  let columns = 0;
  for (const character of apply(normalize, text, ['NFC'])) {
    if (apply(test, WIDE, [character])) columns += 2;
    else if (!apply(test, NONE, [character])) columns += 1;
  }
  return columns;
}
