// Draws ratios as SVG: a line for each case, a dot for each subject, how many times as much as ours from left to right.
const COLOURS = {
  ours: '#111111',
  floor: '#999999',
  v8: '#2ca02c',
  'isolated-vm': '#1f77b4',
  'quickjs-emscripten': '#ff7f0e',
  worker: '#9467bd',
  fork: '#d62728',
};
const [LEFT, TOP, WIDTH, ROW, MARGIN] = [230, 60, 640, 24, 20];

/** Of points `{ row, subject, ratio }`. */
export function plot(points) {
  const rows = [...new Set(points.map(({ row }) => row))];
  const exponents = points.map(({ ratio }) => Math.log10(ratio));
  const low = Math.min(-1, Math.floor(Math.min(...exponents)));
  const high = Math.max(1, Math.ceil(Math.max(...exponents)));
  const x = (exponent) => Math.round(LEFT + ((exponent - low) / (high - low)) * WIDTH);
  const y = (row) => TOP + (row + 0.5) * ROW;
  const bottom = y(rows.length);
  const text = (x, y, text, anchor) => `<text x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;
  const line = (x1, y1, x2, y2, colour) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>`;
  const dot = (x, y, subject) => `<circle cx="${x}" cy="${y}" r="5" fill="${COLOURS[subject]}"/>`;

  const axis = Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((exponent) => [
    line(x(exponent), TOP, x(exponent), bottom, exponent === 0 ? '#111111' : '#dddddd'),
    text(
      x(exponent),
      bottom + 18,
      `${10 ** exponent >= 1 ? 10 ** exponent : (10 ** exponent).toFixed(-exponent)} ×`,
      'middle',
    ),
  ]);
  const lines = rows.flatMap((row, i) => [
    line(LEFT, y(i), LEFT + WIDTH, y(i), '#eeeeee'),
    text(LEFT - 12, y(i) + 4, row, 'end'),
  ]);
  const dots = points.map(({ row, subject, ratio }) => dot(x(Math.log10(ratio)), y(rows.indexOf(row)), subject));
  const legend = [];
  let place = 30;
  for (const subject of Object.keys(COLOURS).filter((name) => points.some((point) => point.subject === name))) {
    legend.push(dot(place, 22, subject), text(place + 10, 26, subject, 'start'));
    place += 40 + 7.5 * subject.length;
  }
  const [width, height] = [LEFT + WIDTH + 2 * MARGIN, bottom + 2 * MARGIN];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">`,
    '<title>How many times as much as ours, for each case and subject</title>',
    '<rect width="100%" height="100%" fill="white"/>',
    text(LEFT + WIDTH, 50, 'times as much as ours; left is less', 'end'),
    ...[...axis, ...lines, ...dots, ...legend],
    '</svg>',
    '',
  ].join('\n');
}
