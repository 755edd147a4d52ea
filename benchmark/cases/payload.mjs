// JSON there and back.
import { timed } from './timed.mjs';

const MIB = 1 << 20;

const echo = (name, bytes, limits) =>
  timed({
    name: `payload-${name}`,
    about: `rows with JSON of ${name.replace('k', ' kB').replace('m', ' MB')}, there and back`,
    program: { source: 'function handler(event) { return event; }', ...limits },
    event: { rows: rows(bytes) },
  });

export const payload = [
  echo('1k', 1000),
  echo('100k', 100_000),
  echo('5m', 5_000_000, { heap: 256 * MIB, buffers: 16 * MIB }),
];

/** Rows whose JSON takes so many bytes, as near as whole rows come. */
function rows(bytes) {
  const row = (id) => ({
    id,
    name: `Customer ${id}`,
    email: `customer.${id}@example.com`,
    active: id % 3 !== 0,
    balance: ((id * 7919) % 100_000) / 100,
    tags: ['north', 'südlich', `group-${id % 10}`],
    address: { street: `${id} High Street`, city: 'York', note: null },
  });
  const all = [];
  for (let size = 0; size < bytes; size += JSON.stringify(all.at(-1)).length + 1) all.push(row(all.length));
  return all;
}
