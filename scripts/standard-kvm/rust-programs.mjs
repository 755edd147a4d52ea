// The integration tests in Rust, compiled.
import { spawnSync } from 'node:child_process';
import { ROOT, stop } from '../system.mjs';

/** Names and paths of the test programs of these names, or of all, built for a target or for this machine. */
export function rustPrograms(names, { target, environment = {} } = {}) {
  const wanted = names?.flatMap((name) => ['--test', name]) ?? ['--tests'];
  const options = ['test', '--no-run', '--no-default-features', '--features', 'test-guest', ...wanted];
  if (target) options.push('--target', target);
  const { status, stdout } = spawnSync('cargo', [...options, '--message-format=json-render-diagnostics'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, ...environment },
  });
  if (status !== 0) stop('the tests in Rust could not be built');
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((message) => message.executable && message.target?.kind.includes('test'))
    .map((message) => ({ name: message.target.name, path: message.executable }));
}
