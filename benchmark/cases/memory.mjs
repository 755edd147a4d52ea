// What tenants take of the machine's memory, those that wait and those that have worked.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const TENANTS = 100;
const QUICK_TENANTS = 10;
const UNITS = { 'MiB resident': 'Rss', 'MiB proportional': 'Pss' };

const program = {
  source: `
    function handler({ objects }) {
      const list = Array.from({ length: objects }, (_, id) => ({ id, name: 'item ' + id }));
      return list.filter(({ id }) => id % 2).length;
    }
  `,
};
const event = { objects: 2000 };

const memory = (state, about) => ({
  name: `memory-${state}`,
  about: `${about}, one of ${TENANTS} (of ${QUICK_TENANTS} in a quick run)`,
  units: Object.keys(UNITS),
  without: ['floor'],
  // Memory that was given back may still be there.
  oneSample: true,
  async start(subject, isQuick) {
    return async () => {
      const count = isQuick ? QUICK_TENANTS : TENANTS;
      // What all have in common is there with the first.
      const first = await subject.open(program);
      await use(first);
      const before = await measure([first]);
      const tenants = [];
      for (let i = 0; i < count; i++) tenants.push(await subject.open(program));
      if (state === 'used') for (const tenant of tenants) await use(tenant);
      const after = await measure([first, ...tenants]);
      return Object.fromEntries(Object.keys(UNITS).map((unit) => [unit, (after[unit] - before[unit]) / count]));
    };
  },
});

export const memories = [
  memory('idle', 'memory of a tenant that has not been called yet'),
  memory('used', `memory of a tenant after a call that makes ${event.objects.toLocaleString('en')} objects`),
];

async function use(tenant) {
  assert.equal(await tenant.call(event), event.objects / 2, 'a wrong result');
}

/** What this process and those of tenants take. */
async function measure(tenants) {
  collect();
  await sleep(300);
  const sums = Object.fromEntries(Object.keys(UNITS).map((unit) => [unit, 0]));
  for (const process of ['self', ...tenants.flatMap(({ pid }) => pid ?? [])]) {
    const text = readFileSync(`/proc/${process}/smaps_rollup`, 'utf8');
    for (const [unit, field] of Object.entries(UNITS)) {
      sums[unit] += Number(text.match(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm'))[1]) / 1024;
    }
  }
  return sums;
}
