// Looks for misused memory with tools that see each access: Miri for what host and guest agree on, AddressSanitizer for the
// library with virtual machines and all. Both take minutes, so `npm test` does without them.
import { spawnSync } from 'node:child_process';
import { ROOT, say } from './system.mjs';

const LIBRARY = ['--no-default-features', '--features', 'test-guest'];
const CHECKS = {
  miri() {
    const nightly = ['--toolchain', 'nightly'];
    const has = () => succeeds('cargo', ['+nightly', 'miri', '--version']);
    if (!has()) succeeds('rustup', ['component', 'add', ...nightly, 'miri', 'rust-src'], 'inherit');
    if (has()) {
      return succeeds(
        'cargo',
        ['+nightly', 'miri', 'test', ...into('miri'), '--package', 'guest-abi', '--lib'],
        'inherit',
      );
    }
    // Where Miri cannot be had, valgrind sees at least each access to memory that is not allocated or not initialised.
    say('there is no Miri here (rustup toolchain install nightly --component miri); valgrind takes its place');
    const runner = { CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER: 'valgrind --quiet --error-exitcode=1' };
    return succeeds('cargo', ['test', '--package', 'guest-abi', '--lib'], 'inherit', runner);
  },
  address() {
    // The stable compiler brings the sanitizer's library, but not the right to ask for it.
    const environment = { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-Zsanitizer=address' };
    const target = ['--target', 'x86_64-unknown-linux-gnu', ...into('address-sanitizer')];
    return succeeds('cargo', ['test', ...target, ...LIBRARY, '--tests'], 'inherit', environment);
  },
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
const failed = names.filter((name) => !CHECKS[name]());
console.log(`memory checks: ${names.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;

function into(folder) {
  return ['--target-dir', `target/${folder}`];
}

function succeeds(command, args, stdio = 'ignore', environment = {}) {
  return spawnSync(command, args, { cwd: ROOT, stdio, env: { ...process.env, ...environment } }).status === 0;
}
