// Tables of `console.table`.

import { inspectBeginning } from 'hyperlight:inspect';
import { kindOf } from 'hyperlight:inspect/kinds';
import { width } from 'hyperlight:inspect/text';

const { isArray } = Array;

const INDEX = '(index)';
const ITERATION = '(iteration index)';
const VALUES = 'Values';

function cellOf(value, room) {
  const isLarge = value !== null && typeof value === 'object' && !isArray(value) && Object.keys(value).length > 2;
  const options = { depth: isLarge ? -1 : 0, maxArrayLength: 3, breakLength: Infinity };
  return inspectBeginning(value, options, room);
}

/** The lines of a table; of no more rows than may have so many characters. */
function drawn(heads, columns, room) {
  let count = 0;
  for (const column of columns) count = Math.max(count, column.length);
  // Each row has at least a character per column.
  count = Math.min(count, Math.ceil(room / heads.length));
  const widths = heads.map((head, i) => {
    let most = width(head);
    for (let j = 0; j < count; j++) most = Math.max(most, width(columns[i][j] ?? ''));
    return most + 2;
  });
  const line = (left, middle, right) => left + widths.map((size) => '─'.repeat(size)).join(middle) + right;
  const row = (cells) => {
    const padded = cells.map((cell, i) => ` ${cell}${' '.repeat(widths[i] - width(cell) - 1)}`);
    return `│${padded.join('│')}│`;
  };
  const lines = [line('┌', '┬', '┐'), row(heads), line('├', '┼', '┤')];
  let size = 3 * lines[0].length;
  for (let i = 0; i < count && size <= room; i++) {
    lines.push(row(columns.map((column) => column[i] ?? '')));
    size += lines[lines.length - 1].length;
  }
  lines.push(line('└', '┴', '┘'));
  return lines.join('\n');
}

/** The table; undefined if it cannot be one. */
export function table(data, properties, room) {
  if (properties !== undefined && !isArray(properties)) throw new TypeError('the columns must be an array');
  if (data === null || typeof data !== 'object') return undefined;
  const cell = (value) => cellOf(value, room);
  const kind = kindOf(data);
  if (kind === 'Map') {
    const entries = [...Map.prototype.entries.call(data)].slice(0, room);
    return drawn(
      [ITERATION, 'Key', VALUES],
      [entries.map((_, i) => `${i}`), entries.map(([key]) => cell(key)), entries.map(([, value]) => cell(value))],
      room,
    );
  }
  if (kind === 'Set') {
    const values = [...Set.prototype.values.call(data)].slice(0, room);
    return drawn([ITERATION, VALUES], [values.map((_, i) => `${i}`), values.map(cell)], room);
  }
  // In the order of an object's properties: numbers first.
  const columns = { __proto__: null };
  const own = [];
  const indices = Object.keys(data).slice(0, room);
  let cells = 0;
  for (let i = 0; i < indices.length && cells <= room; i++) {
    const item = data[indices[i]];
    const isPrimitive = item === null || (typeof item !== 'object' && typeof item !== 'function');
    if (isPrimitive) {
      own[i] = cell(item);
      cells += 1;
      continue;
    }
    for (const key of properties ?? Object.keys(item)) {
      columns[key] ??= [];
      columns[key][i] = Object.hasOwn(item, key) ? cell(item[key]) : '';
      cells += 1;
      if (cells > room) break;
    }
  }
  const heads = [INDEX, ...Object.keys(columns)];
  const bodies = [indices, ...Object.values(columns)];
  if (own.length > 0) {
    heads.push(VALUES);
    bodies.push(own);
  }
  return drawn(heads, bodies, room);
}
