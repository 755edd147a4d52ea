// What every call into the guest takes at the least: an empty one, from Rust. It has no tenants, but times itself.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../scripts/system.mjs';

const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');

export function load() {
  const build = ['build', '--quiet', '--release', '--example', 'floor'];
  const { status, error } = spawnSync('cargo', build, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`cargo ${build.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

export function time() {
  const program = spawn(join(TARGET, 'release', 'examples', 'floor'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(program.stdout);
  return async () => {
    program.stdin.write('\n');
    const [nanoseconds] = await once(lines, 'line');
    return { ms: Number(nanoseconds) / 1e6 };
  };
}
