// Makes figures of samples, and of figures tables, a plot and BENCHMARKS.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/system.mjs';
import { CASES } from './cases/index.mjs';
import { plot } from './plot.mjs';
import { SUBJECTS } from './subjects/index.mjs';

/** What is said of a case and its subjects: a figure, or an error instead, for each unit. */
export function entriesOf({ name, units }, measured) {
  return units.flatMap((unit) =>
    measured.map(({ name: subject, samples, error }) => {
      const entry = { case: name, subject, unit };
      if (error) return { ...entry, error };
      const sorted = samples.map((sample) => sample[unit]).sort((a, b) => a - b);
      return { ...entry, median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), samples: sorted.length };
    }),
  );
}

function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** How many times as much as ours it is. */
export function ratio(entry, entries) {
  const ours = entries.find(
    (other) => other.case === entry.case && other.unit === entry.unit && other.subject === 'ours',
  );
  return ours?.median > 0 && entry.median > 0 ? entry.median / ours.median : undefined;
}

export function toText({ name, about }, entries) {
  const rows = entries.map((entry) => ['', ...cells(entry, entries)]);
  const widths = rows.reduce((widths, row) => row.map((cell, i) => Math.max(cell.length, widths[i])), [0, 20, 0, 0, 0]);
  const pad = (cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const line = (row) => row.map(pad).join('  ').trimEnd();
  return [`\n${name}: ${about}`, ...rows.map(line)].join('\n');
}

function cells(entry, entries) {
  const { subject, unit, median, p95, samples, error } = entry;
  if (error) return [subject, `failed: ${error}`, '', '', ''];
  const times = ratio(entry, entries);
  return [
    subject,
    format(median, unit),
    `p95 ${format(p95, unit)}`,
    times ? `${digits(times)} ×` : '',
    `${samples} samples`,
  ];
}

function format(value, unit) {
  return unit === 'ms' && value < 1 ? `${digits(value * 1000)} µs` : `${digits(value)} ${unit}`;
}

/** Three digits that count. */
function digits(value) {
  const decimals = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 6));
}

/** Writes the plot, and after a whole run BENCHMARKS.md too; gives the names of the files. */
export function writeReport(report, isWhole) {
  mkdirSync(join(ROOT, 'benchmark', 'results'), { recursive: true });
  const files = { [`benchmark/results/${isWhole ? 'whole' : 'part'}.svg`]: plot(pointsOf(report.cases)) };
  if (isWhole) files['BENCHMARKS.md'] = toMarkdown(report);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(ROOT, name), text);
  return Object.keys(files);
}

function pointsOf(entries) {
  return entries.flatMap((entry) => {
    const times = ratio(entry, entries);
    return times ? { row: rowOf(entry), subject: entry.subject, ratio: times } : [];
  });
}

function rowOf({ case: name, unit }) {
  return unit === 'ms' ? name : `${name}, ${unit}`;
}

function toMarkdown({ machine, date, cases: entries }) {
  const present = SUBJECTS.filter((subject) => entries.some((entry) => entry.subject === subject));
  const rows = [...new Set(entries.map(rowOf))];
  const find = (row, subject) => entries.find((entry) => rowOf(entry) === row && entry.subject === subject);
  const peers = Object.entries(machine.peers).map(([name, version]) => `${name} ${version}`);
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench`; do not edit. [docs/benchmarks.md](docs/benchmarks.md) says how it measures and how to read it.',
    '',
    ...table(
      ['machine', ''],
      [
        ['date', date.slice(0, 10)],
        ['processor', `${machine.cpu}, ${machine.cores} cores`],
        ['memory', `${machine.memoryGiB} GiB`],
        ['kernel', machine.kernel],
        ['hypervisor', machine.hypervisor],
        ['Node.js', machine.node],
        ['peers', peers.join(', ')],
      ],
    ),
    '## How many times as much as ours',
    '',
    'Medians, ours as it was measured and the others as multiples of it: less than 1 × is less than ours. `floor` alone has',
    'nothing to be compared with.',
    '',
    ...table(
      ['case', ...present],
      rows.map((row) => [`\`${row}\``, ...present.map((subject) => summary(find(row, subject), entries))]),
    ),
    '![The same as a plot](benchmark/results/whole.svg)',
    '',
    '## The cases',
    '',
    ...table(
      ['case', 'what is measured'],
      CASES.map(({ name, about }) => [`\`${name}\``, about]),
    ),
    '## All figures',
    '',
    ...table(
      ['case', 'subject', 'median', 'p95', 'ratio', 'samples'],
      entries.map((entry) => [
        `\`${entry.case}\``,
        ...cells(entry, entries).map((cell) => cell.replace(/^p95 | samples$/g, '')),
      ]),
    ),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function summary(entry, entries) {
  if (!entry) return '';
  if (entry.error) return 'failed';
  const times = entry.subject === 'ours' ? undefined : ratio(entry, entries);
  return times ? `${digits(times)} ×` : format(entry.median, entry.unit);
}

function table(head, rows) {
  const line = (row) => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}
