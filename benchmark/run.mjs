// Measures what sandboxes cost, beside other ways to run JavaScript. `docs/benchmarks.md` says how to read it.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CASES } from './cases/index.mjs';
import { machine } from './machine.mjs';
import { Agent, measure, QUICK, WHOLE } from './measure.mjs';
import { installPeers } from './peers.mjs';
import { entriesOf, toText, writeReport } from './report.mjs';
import { PEERS, SUBJECTS } from './subjects/index.mjs';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    subjects: { type: 'string' },
  },
});
const cases = chosen(CASES, options.only?.split(','), ({ name }) => name);
const wanted = chosen(SUBJECTS, options.subjects?.split(','), (name) => name);

if (PEERS.some((name) => wanted.includes(name))) installPeers();
const { present, versions } = await look();
const report = { machine: machine(versions), date: new Date().toISOString(), cases: [] };
for (const testCase of cases) {
  const names = present.filter((name) => !testCase.without.includes(name));
  const measured = await measure(testCase, names, options.quick ? QUICK : WHOLE);
  const entries = entriesOf(testCase, measured);
  report.cases.push(...entries);
  console.log(toText(testCase, entries));
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
const isWhole = !options.quick && !options.only && !options.subjects;
console.log(`written: ${writeReport(report, isWhole).join(', ')}`);

function chosen(all, names, nameOf) {
  const unknown = names?.find((name) => !all.some((one) => nameOf(one) === name));
  if (unknown !== undefined) {
    console.error(`there is no ${unknown}; there are ${all.map(nameOf).join(', ')}`);
    process.exit(1);
  }
  return names ? all.filter((one) => names.includes(nameOf(one))) : all;
}

/** Which of the wanted subjects can be had here. */
async function look() {
  const present = [];
  const versions = {};
  for (const name of wanted) {
    try {
      const agent = await Agent.start(name);
      agent.stop();
      present.push(name);
      if (agent.version) versions[name] = agent.version;
    } catch (error) {
      console.log(`${name} is left out: ${error.message}`);
    }
  }
  return { present, versions };
}
