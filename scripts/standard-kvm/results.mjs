// What the output of tests says.

/** Results by the names of the tests, from the output of libtest and of node's runner. */
export function parse(text) {
  const results = new Map();
  let program = '';
  for (const line of text.split(/\r?\n/)) {
    const start = line.match(/^# program (\S+)$/);
    const rust = line.match(/^test (\S+) \.\.\. (ok|FAILED|ignored)/);
    const node = line.match(/^\s*(not )?ok \d+ - (.*?)( # SKIP.*)?$/);
    if (start) program = start[1];
    else if (rust)
      results.set(`${program}: ${rust[1]}`, { ok: 'passed', FAILED: 'failed', ignored: 'skipped' }[rust[2]]);
    else if (node) results.set(`${program}: ${node[2]}`, node[1] ? 'failed' : node[3] ? 'skipped' : 'passed');
  }
  return results;
}

/** How many have passed, failed and been skipped, of one program or of all. */
export function countsOf(results, program) {
  const own = [...results].filter(([test]) => program === undefined || test.startsWith(`${program}: `));
  const count = (result) => `${own.filter(([, value]) => value === result).length} ${result}`;
  return ['passed', 'failed', 'skipped'].map(count).join(', ');
}
