// What a host function has thrown, as it is sent to the guest: guest/abi/src/exception.rs has the limits and the rules. It
// gives lists of name, message, properties as JSON or '', the list for the cause or undefined, and those of the errors.
(() => {
  // As they are now: code that comes later may change the originals.
  const { isArray } = Array;
  const { stringify } = JSON;
  const { keys } = Object;
  const { apply } = Reflect;
  const NativeError = Error;
  const NativeString = String;
  const { slice, startsWith } = String.prototype;

  const TEXT_LENGTH_MAX = 16_384;
  const PROPERTIES_LENGTH_MAX = 16_384;
  const COUNT_MAX = 64;
  const DEPTH_MAX = 8;
  const ERRORS_MAX = 16;
  const UNREADABLE = 'an exception that cannot be shown';

  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  function describe(thrown) {
    return described(thrown, { count: COUNT_MAX, properties: PROPERTIES_LENGTH_MAX, open: [] });
  }

  function described(thrown, room) {
    room.count--;
    if (!isObject(thrown)) return ['', shortText(thrown), '', undefined, []];
    const message = read(thrown, 'message');
    if (typeof message !== 'string' && !isError(thrown)) {
      const properties = isArray(thrown) || typeof thrown === 'function' ? '' : propertiesOf(thrown, room, []);
      return ['', textOfObject(thrown), properties, undefined, []];
    }
    const name = read(thrown, 'name');
    const properties = propertiesOf(thrown, room, ['name', 'message', 'stack', 'cause', 'errors']);
    const told = [
      name === undefined ? '' : shortText(name),
      message === undefined ? '' : shortText(message),
      properties,
      undefined,
      [],
    ];
    if (room.open.length === DEPTH_MAX) return told;
    room.open[room.open.length] = thrown;
    const cause = read(thrown, 'cause');
    if (cause !== undefined) told[3] = nested(cause, room);
    const errors = read(thrown, 'errors');
    if (isArray(errors)) {
      for (let i = 0; i < errors.length && i < ERRORS_MAX; i++) {
        const error = nested(read(errors, i), room);
        if (error) told[4][told[4].length] = error;
      }
    }
    room.open.length--;
    return told;
  }

  function nested(value, room) {
    if (room.count === 0) return undefined;
    for (let i = 0; i < room.open.length; i++) if (room.open[i] === value) return undefined;
    return described(value, room);
  }

  function isError(value) {
    try {
      return value instanceof NativeError;
    } catch {
      return false;
    }
  }

  /** A property; `undefined` if it cannot be read. */
  function read(object, name) {
    try {
      return object[name];
    } catch {
      return undefined;
    }
  }

  function propertiesOf(object, room, named) {
    let json = '';
    const put = (name, value) => {
      const text = jsonOf(value, room.properties);
      if (text === undefined) return;
      const entry = `${json === '' ? '{' : ','}${stringify(name)}:${text}`;
      // With the bracket at the end.
      const size = entry.length + (json === '' ? 1 : 0);
      if (size > room.properties) return;
      room.properties -= size;
      json += entry;
    };
    const code = named.length > 0 ? read(object, 'code') : undefined;
    const hasCode = typeof code === 'string' || typeof code === 'number';
    if (hasCode) put('code', code);
    let names = [];
    try {
      names = keys(object);
    } catch {}
    for (let i = 0; i < names.length && room.properties >= 8; i++) {
      if (includes(named, names[i]) || (hasCode && names[i] === 'code')) continue;
      put(names[i], read(object, names[i]));
    }
    return json === '' ? '' : `${json}}`;
  }

  function includes(list, value) {
    for (let i = 0; i < list.length; i++) if (list[i] === value) return true;
    return false;
  }

  /** A value's JSON; `undefined` if it has none, or one that is too long, which is not made then. */
  function jsonOf(value, lengthMax) {
    let left = lengthMax;
    const count = (key, item) => {
      left -= key.length + (typeof item === 'string' ? item.length : 1);
      if (left < 0) throw UNREADABLE;
      return item;
    };
    try {
      return stringify(value, count);
    } catch {
      return undefined;
    }
  }

  function shortText(value) {
    try {
      return apply(slice, NativeString(value), [0, TEXT_LENGTH_MAX]);
    } catch {
      return UNREADABLE;
    }
  }

  /** What an object says of itself, or else its JSON. */
  function textOfObject(object) {
    const text = shortText(object);
    if (!isArray(object) && text !== UNREADABLE && !apply(startsWith, text, ['[object '])) return text;
    return jsonOf(object, TEXT_LENGTH_MAX) ?? text;
  }

  return describe;
})();
