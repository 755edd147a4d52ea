// What is known to fail, and why: `conformance/expected.json`. It has names of tests and reasons, and none of a suite's text.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../../conformance/expected.json', import.meta.url);
const ALL = '*';

/** The expectations of one suite: by file, the tests in it that fail (`*`: any, as many as it may have), and the reason. */
export class Expectations {
  #suite;
  #all;

  constructor(suite) {
    this.#suite = suite;
    this.#all = JSON.parse(readFileSync(FILE, 'utf8'));
    this.#all[suite] ??= {};
  }

  /** Which results are not what was expected. */
  differences(file, results) {
    const expected = this.#all[this.#suite][file]?.fail ?? [];
    if (expected.includes(ALL)) return [];
    return results.filter(({ name, failure }) => expected.includes(name) !== (failure !== null));
  }

  set(file, failed) {
    const suite = this.#all[this.#suite];
    const known = suite[file];
    if (known?.fail.includes(ALL)) return;
    if (failed.length === 0) delete suite[file];
    else suite[file] = { reason: known?.reason ?? 'not looked into', fail: failed.map(({ name }) => name) };
  }

  save() {
    const { [this.#suite]: suite } = this.#all;
    this.#all[this.#suite] = Object.fromEntries(Object.entries(suite).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(FILE, `${JSON.stringify(this.#all, null, 2)}\n`);
  }
}
