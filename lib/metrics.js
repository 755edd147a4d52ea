// The metrics that the addon keeps, as an object and as text for Prometheus.

/** `metrics()`. `read` gives them as JSON. */
exports.metricsOf = (read) => {
  const metrics = () => {
    const all = Object.entries(JSON.parse(read()));
    return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  metrics.prometheus = () => text(metrics());
  return metrics;
};

/** The text format, version 0.0.4. */
function text(metrics) {
  const lines = [];
  for (const [name, { kind, description, series }] of Object.entries(metrics)) {
    if (description !== '') lines.push(`# HELP ${name} ${description.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`);
    lines.push(`# TYPE ${name} ${kind}`);
    for (const one of series)
      lines.push(...(kind === 'histogram' ? histogram(name, one) : [sample(name, one.labels, one.value)]));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function* histogram(name, { labels, count, sum, buckets }) {
  for (const bucket of buckets) yield sample(`${name}_bucket`, { ...labels, le: String(bucket.le) }, bucket.count);
  yield sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count);
  yield sample(`${name}_sum`, labels, sum);
  yield sample(`${name}_count`, labels, count);
}

function sample(name, labels, value) {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function escaped(text) {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
