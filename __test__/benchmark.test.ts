import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BENCHMARK = join(__dirname, '..', '..', 'benchmark', 'run.mjs');

/** What a quick run of a case writes for the subjects that need no installation. */
async function measure(only: string): Promise<{ stdout: string; report: Record<string, unknown> }> {
  const folder = mkdtempSync(join(tmpdir(), 'benchmark-'));
  const file = join(folder, 'report.json');
  try {
    const options = ['--quick', '--only', only, '--subjects', 'ours,v8', '--json', file];
    const { stdout } = await run(process.execPath, [BENCHMARK, ...options], { timeout: 60_000 });
    return { stdout, report: JSON.parse(readFileSync(file, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the benchmark gives a median, a 95th percentile and the number of samples for each subject', async () => {
  const { stdout, report } = await measure('warm');
  assert.deepEqual(Object.keys(report), ['machine', 'date', 'cases']);
  const { cores, node } = report.machine as { cores: number; node: string };
  assert.ok(cores > 0);
  assert.equal(node, process.versions.node);
  assert.ok(Date.parse(report.date as string) > 0);
  const cases = report.cases as Record<string, unknown>[];
  assert.deepEqual(
    cases.map((entry) => [entry.case, entry.subject, entry.unit]),
    [
      ['warm', 'ours', 'ms'],
      ['warm', 'v8', 'ms'],
    ],
  );
  for (const { median, p95, samples, error } of cases as Record<string, number>[]) {
    assert.equal(error, undefined);
    assert.ok((median as number) > 0 && (p95 as number) >= (median as number) && (samples as number) > 0);
  }
  assert.match(stdout, /^warm: .*\n {2}ours +[\d.]+ .s .*1\.00 ×/m);
});

test('the benchmark refuses a case that there is not', async () => {
  await assert.rejects(measure('lukewarm'), /there is no lukewarm; there are cold, /);
});
