// Lives of sandboxes: random operations, and a model that says what must come out of each.
//
//   node fuzz/lifecycles/run.mjs [--seconds N] [--seed N]
//
// A life has a seed, and is the same again with it but for what depends on time.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { live } from './life.mjs';

const STEPS = 60;
/** One life takes longer only if something hangs. */
const HANG_MS = 120_000;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const end = Date.now() + Number(values.seconds) * 1000;
let seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
let [lives, operations] = [0, 0];
let log = [];
const report = (problem) => {
  console.error(problem);
  console.error(`lifecycles: --seed ${seed} failed after ${log.join(', ')}`);
  process.exit(1);
};
process.on('unhandledRejection', report);
const timer = setInterval(() => {}, 1000);
do {
  const hang = setTimeout(report, HANG_MS, 'it hangs');
  log = [];
  try {
    await live(seed, STEPS, log);
    await allGivenBack();
  } catch (error) {
    report(error);
  }
  clearTimeout(hang);
  lives += 1;
  operations += log.length;
  seed = (seed + 1) % 2 ** 31;
} while (Date.now() < end);
clearInterval(timer);
console.log(`lifecycles: ${operations} operations in ${lives} lives, the last of seed ${seed - 1}`);

/** No virtual machine is left of a life. */
async function allGivenBack() {
  if (process.platform !== 'linux') return;
  for (let tries = 0; machines() > 0; tries++) {
    assert.ok(tries < 600, `${machines()} virtual machines are left`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function machines() {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.includes('kvm-vm')).length;
}
