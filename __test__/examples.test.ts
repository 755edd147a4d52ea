import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const EXAMPLES = join(__dirname, '..', '..', 'examples');

const outputs: Record<string, string[]> = {
  'simple.js': ["{ name: 'World', message: 'Hello, World!' }"],
  'calculator.js': [
    'add(10, 5): 15',
    'subtract(10, 5): 5',
    'multiply(10, 5): 50',
    'divide(10, 5): 2',
    'divide(10, 0): division by zero',
    'power(10, 5): there is no operation power',
  ],
  'unload.js': ['Hello, World!', 'count: 2', 'ERR_CONSUMED', 'Goodbye, World!', 'count: 1'],
  'interrupt.js': [
    'result: done',
    'stopped before its end by wall-clock; the sandbox is poisoned',
    'restored; the sandbox is ready',
    'stopped before its end by kill(); the sandbox is poisoned',
    'restored; the sandbox is ready',
  ],
  'cpu-timeout.js': [
    'quick: [ 1, 2, 3 ]',
    'compute: ERR_CANCELLED, stopped by cpu-time',
    'wait: ERR_CANCELLED, stopped by wall-clock',
  ],
  'host-functions.js': ["{ user: 'ALICE', total: 65 }", "{ error: 'HostFunctionError: there is no user 7' }"],
  'async.js': ["[ 'page 1', 'page 2', 'page 3' ]", "[ 'page 1', 'TimeoutError' ]"],
  'user-modules.js': ['3.14 m2', '12.57 m2', '{ areas: 2 }'],
};

for (const [file, lines] of Object.entries(outputs)) {
  test(`the example ${file} prints what it should`, async () => {
    const { stdout, stderr } = await run(process.execPath, [join(EXAMPLES, file)]);
    assert.equal(stdout, lines.map((line) => `${line}\n`).join(''));
    assert.equal(stderr, '');
  });
}
