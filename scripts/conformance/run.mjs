// Runs parts of a suite of conformance tests in the guest:
//
//   npm run test:conformance -- --suite DIR [--update] [FOLDER or FILE ...]
//
// DIR is a checkout of test262 (https://github.com/tc39/test262) or of the web-platform-tests
// (https://github.com/web-platform-tests/wpt), whole or in part, which this repository has not got. Each file runs in clean
// state. Printed are counts by folder, and what differs from `conformance/expected.json`: then the command fails.
// `--update` writes what was found to that file; the reasons, which it keeps, are written by hand.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Expectations } from './expectations.mjs';
import * as test262 from './test262.mjs';
import * as wpt from './wpt.mjs';

const { values, positionals } = parseArgs({
  options: { suite: { type: 'string' }, update: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const suite = [test262, wpt].find(({ MARK }) => values.suite && existsSync(join(values.suite, MARK)));
if (!suite) {
  console.error('--suite must name a checkout of test262 or of the web-platform-tests');
  process.exit(2);
}

const expectations = new Expectations(suite.NAME);
const checkout = await suite.open(values.suite);
const counts = new Map();
let differences = 0;
for (const file of (positionals.length > 0 ? positionals : suite.FOLDERS).flatMap((path) => checkout.filesIn(path))) {
  const folder = file
    .split('/')
    .slice(0, 2)
    .join('/')
    .replace(/\/[^/]*\.js$/, '');
  if (!counts.has(folder)) counts.set(folder, { files: 0, run: 0, failed: 0 });
  const count = counts.get(folder);
  const results = await checkout.run(file);
  if (results.length === 0) continue;
  count.files++;
  count.run += results.length;
  const failed = results.filter(({ failure }) => failure !== null);
  count.failed += failed.length;
  for (const { name, failure } of expectations.differences(file, results)) {
    differences++;
    console.log(`${file}: ${name}: ${failure === null ? 'passes, but was expected to fail' : failure.slice(0, 300)}`);
  }
  if (values.update) expectations.set(file, failed);
}
for (const [folder, { files, run, failed }] of counts) {
  const share = run === 0 ? '' : ` (${(((run - failed) / run) * 100).toFixed(1)} %)`;
  console.log(`${folder}: ${files} files, ${run - failed} of ${run} passed${share}`);
}
const { run, failed } = [...counts.values()].reduce(
  (sum, count) => ({ run: sum.run + count.run, failed: sum.failed + count.failed }),
  { run: 0, failed: 0 },
);
console.log(`in all: ${run - failed} of ${run} passed; ${differences} differ from conformance/expected.json`);
if (values.update) expectations.save();
else process.exitCode = differences === 0 && run > 0 ? 0 : 1;
