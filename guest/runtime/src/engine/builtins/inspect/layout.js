// How the parts of an object are put on lines.

import { width } from 'hyperlight:inspect/text';

const { max, min, round, sqrt, floor } = Math;

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
const COLOR = /\u001b\[\d\d?m/g;

const shown = (text, colors) => (colors ? text.replace(COLOR, '') : text);

/**
 * Puts the items of a list in columns, if they are many and of much the same width.
 *
 * A last item that says how many more there are stays on a line of its own.
 */
function inColumns({ breakLength, colors, compact, indentation, maxArrayLength }, items, list) {
  const isCut = maxArrayLength < items.length;
  const count = isCut ? items.length - 1 : items.length;
  const widths = [];
  let total = 0;
  let widest = 0;
  for (let i = 0; i < count; i++) {
    widths[i] = width(shown(items[i], colors));
    total += widths[i] + 2;
    widest = max(widest, widths[i]);
  }
  const column = widest + 2;
  if (column * 3 + indentation >= breakLength) return items;
  if (total / column <= 5 && widest > 6) return items;

  const bias = sqrt(column - total / items.length);
  const usual = max(column - 3 - bias, 1);
  const columns = min(
    // A square, as seen: a character is about two and a half times as high as wide.
    round(sqrt(2.5 * usual * count) / usual),
    floor((breakLength - indentation) / column),
    compact * 4,
    15,
  );
  if (columns <= 1) return items;

  const columnWidths = [];
  for (let i = 0; i < columns; i++) {
    let most = 0;
    for (let j = i; j < count; j += columns) most = max(most, widths[j]);
    columnWidths[i] = most + 2;
  }
  let isNumeric = true;
  for (let i = 0; i < items.length && list !== undefined; i++) {
    const type = typeof list[i];
    if (type !== 'number' && type !== 'bigint') {
      isNumeric = false;
      break;
    }
  }
  const lines = [];
  for (let i = 0; i < count; i += columns) {
    const end = min(i + columns, count);
    let line = '';
    for (let j = i; j < end; j++) {
      const isLast = j === end - 1;
      const cell = isLast ? items[j] : `${items[j]}, `;
      const padding = ' '.repeat(max(columnWidths[j - i] - widths[j] - 2, 0));
      if (isNumeric) line += padding + cell;
      else line += isLast ? cell : cell + padding;
    }
    lines.push(line);
  }
  if (isCut) lines.push(items[count]);
  return lines;
}

function fits({ breakLength, colors }, items, start, base) {
  let total = items.length + start;
  if (total + items.length > breakLength) return false;
  for (const item of items) {
    total += shown(item, colors).length;
    if (total > breakLength) return false;
  }
  return base === '' || !base.includes('\n');
}

/** An object: what comes before its braces, the braces, and its parts, on one line if they are few and short. */
export function assembled(context, parts, base, [open, close], isList, depth, list) {
  const { compact, indentation } = context;
  const newline = `\n${' '.repeat(indentation)}`;
  if (compact === true) {
    if (fits(context, parts, 0, base)) return `${open}${base ? ` ${base}` : ''} ${parts.join(', ')} ${close}`;
    const head = base === '' && open.length === 1 ? ' ' : `${base ? ` ${base}` : ''}${newline}  `;
    return `${open}${head}${parts.join(`,${newline}  `)} ${close}`;
  }
  const before = base ? `${base} ` : '';
  if (typeof compact === 'number' && compact >= 1) {
    const count = parts.length;
    if (isList && count > 6) parts = inColumns(context, parts, list);
    if (context.deepest - depth < compact && parts.length === count) {
      const start = parts.length + indentation + open.length + base.length + 10;
      if (fits(context, parts, start, base)) {
        const line = parts.join(', ');
        if (!line.includes('\n')) return `${before}${open} ${line} ${close}`;
      }
    }
  }
  return `${before}${open}${newline}  ${parts.join(`,${newline}  `)}${newline}${close}`;
}
