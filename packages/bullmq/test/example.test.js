import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const EXAMPLE = fileURLToPath(new URL('../../../examples/fleet.js', import.meta.url));
const LINES = [
  'a registry is running',
  'Redis is running',
  'pushed greet:1 with a snapshot',
  'pushed crash:1 with a snapshot',
  'worker one is ready',
  'worker two is ready',
  'greet@1: Hello, World!',
  '20 callers: 20 answers, from "Hello, caller 0!" to "Hello, caller 19!"',
  'crash@1: ERR_CANCELLED, stopped by cpu-time',
  'none@1: ERR_FUNCTION_NOT_FOUND',
  'a worker was killed: Hello, again!',
  'worker three is ready',
  'a worker was asked to end, and exited with 0',
  'greet@1: Hello, the third worker!',
  'pushed greet:1 with a snapshot',
  'greet@1 is another function: Good day, World.',
];

test('the example of a fleet prints what it should', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXAMPLE]);
  assert.deepEqual([stdout.split('\n'), stderr], [[...LINES, ''], '']);
});
