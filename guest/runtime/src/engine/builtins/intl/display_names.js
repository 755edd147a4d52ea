// Intl.DisplayNames.

import { canonical, canonicalList, dataOf, intlClass, resolve, slotsOf, supported } from 'hyperlight:intl/locales';
import { matcher, objectOrNone, text } from 'hyperlight:intl/options';

const objects = new WeakMap();
const TYPES = ['language', 'region', 'script', 'currency', 'calendar', 'dateTimeField'];

export class DisplayNames {
  constructor(locales, options) {
    const list = canonicalList(locales);
    if (options === undefined) throw new TypeError('The options must be an object');
    const given = objectOrNone(options);
    matcher(given);
    const style = text(given, 'style', ['narrow', 'short', 'long'], 'long');
    const type = text(given, 'type', TYPES, undefined);
    if (type === undefined) throw new TypeError('Required option "type" must not be undefined');
    if (type === 'calendar' || type === 'dateTimeField') {
      throw new RangeError(`The option type cannot be "${type}": these names are not there`);
    }
    const fallback = text(given, 'fallback', ['code', 'none'], 'code');
    const languageDisplay = text(given, 'languageDisplay', ['dialect', 'standard'], 'dialect');
    const { locale, data } = resolve(list, {});
    objects.set(this, { locale, data, style, type, fallback, languageDisplay });
  }

  of(code) {
    const slots = slotsOf(objects, this, 'Intl.DisplayNames.prototype.of');
    const given = `${code}`;
    const [key, name] = NAMES[slots.type](slots, given);
    return name ?? (slots.fallback === 'code' ? key : undefined);
  }

  resolvedOptions() {
    const { locale, style, type, fallback, languageDisplay } = slotsOf(
      objects,
      this,
      'Intl.DisplayNames.prototype.resolvedOptions',
    );
    return { locale, style, type, fallback, ...(type === 'language' ? { languageDisplay } : {}) };
  }

  static supportedLocalesOf(locales, options = undefined) {
    return supported(locales, options);
  }
}
intlClass(DisplayNames, 2);

function wrong(code) {
  return new RangeError(`Invalid argument to Intl.DisplayNames.prototype.of: ${code.slice(0, 100)}`);
}

/** A name, in the style that is asked for if there is one. */
function styled(names, key, style) {
  if (style !== 'long') {
    const short = names[`${key}-alt-${style}`] ?? names[`${key}-alt-short`];
    if (short) return short;
  }
  return names[key];
}

/** A name that stands in parentheses has others itself. */
function bracketed(name) {
  return name.replace(/[()（）]/g, (sign) => ({ '(': '[', ')': ']', '（': '［', '）': '］' })[sign]);
}

const NAMES = {
  currency({ data }, code) {
    if (!/^[a-z]{3}$/i.test(code)) throw wrong(code);
    const key = code.toUpperCase();
    const names = dataOf(data, 'currencies')[key];
    return [key, names?.d];
  },
  region({ data, style }, code) {
    if (!/^(?:[a-z]{2}|\d{3})$/i.test(code)) throw wrong(code);
    // Of a region that is no more, the one that it is now.
    const key = /^\d/.test(code) ? code : canonical(`und-${code}`).slice(4);
    return [key, styled(dataOf(data, 'names').region, key, style)];
  },
  script({ data, style }, code) {
    if (!/^[a-z]{4}$/i.test(code)) throw wrong(code);
    const key = code[0].toUpperCase() + code.slice(1).toLowerCase();
    const names = dataOf(data, 'names').script;
    return [key, styled(names, key, style)];
  },
  language({ data, style, languageDisplay }, code) {
    if (!/^[a-z]{2,8}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[0-9a-z]{5,8}|\d[0-9a-z]{3}))*$/i.test(code)) {
      throw wrong(code);
    }
    const key = canonical(code);
    const { language: names, script, region, pattern, separator } = dataOf(data, 'names');
    const parts = key.split('-');
    const counts = languageDisplay === 'dialect' ? [parts.length, ...(parts.length > 3 ? [3] : []), 1] : [1];
    for (const count of counts) {
      const name = styled(names, parts.slice(0, count).join('-'), style);
      if (!name) continue;
      const rest = parts
        .slice(count)
        .map((part) => script[part] ?? styled(region, part, style) ?? part)
        .map(bracketed);
      if (rest.length === 0) return [key, name];
      const list = rest.reduce((text, part) => separator.replace('{0}', text).replace('{1}', part));
      return [key, pattern.replace('{0}', name).replace('{1}', list)];
    }
    return [key, undefined];
  },
};
