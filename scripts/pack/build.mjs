// Builds the addon as it is published: node scripts/pack/build.mjs [target ...], by default all that can be built here.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from '../prepare.mjs';
import { installPackages, output, ROOT, run, say } from '../system.mjs';

const HOME = join(ROOT, 'target', 'pack');
/** Where the addons are afterwards. */
export const ADDONS = join(HOME, 'addons');

const GNU = 'x86_64-unknown-linux-gnu';
const MUSL = 'x86_64-unknown-linux-musl';
/**
 * A toolchain of the napi tools, of which only the C library is used, glibc 2.17: an addon runs with the glibc that it was
 * linked against and with later ones. The oldest that Node.js runs with is 2.28.
 */
const TOOLCHAIN = '@napi-rs/cross-toolchain-x64-target-x86_64';
const TOOLCHAIN_VERSION = '1.0.0';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  prepare();
  build(process.argv.slice(2));
}

export function build(targets) {
  for (const target of targets.length > 0 ? targets : buildable()) {
    say(`building the addon for ${target}`);
    const options = ['--target', target, '--output-dir', ADDONS, '--no-js'];
    run('npm', ['run', '--silent', 'build', '--', ...options], { env: { ...process.env, ...environment(target) } });
    const [abi] = target.split('-').slice(-1);
    if (abi !== 'msvc') run('strip', [join(ADDONS, `js-host-api.linux-x64-${abi}.node`)]);
  }
}

function buildable() {
  return process.platform === 'linux' ? [GNU, MUSL] : ['x86_64-pc-windows-msvc'];
}

function environment(target) {
  if (target === GNU) {
    const system = oldSystem();
    // The compiler looks in this machine's folders before it looks in those of the other root.
    return { ADDON_LINK_ARGS: `--sysroot=${system}\n-L${join(system, 'usr', 'lib')}` };
  }
  if (target === MUSL) {
    return { ADDON_LINK_ARGS: `-L${unwinder()}`, CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER: 'musl-gcc' };
  }
  return {};
}

/** The root of a system with an old C library. */
function oldSystem() {
  const home = join(HOME, 'old-system');
  if (existsSync(home)) return home;
  say('fetching an old C library to link against');
  installPackages({ xz: ['xz-utils'] }, { Fedora: 'dnf install xz', Alpine: 'apk add xz' });
  const download = join(HOME, 'download');
  rmSync(download, { recursive: true, force: true });
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', '--prefix', download, ...options, `${TOOLCHAIN}@${TOOLCHAIN_VERSION}`]);
  const archive = join(download, 'node_modules', TOOLCHAIN, `${GNU}.tar.xz`);
  const system = `./${GNU}/sysroot`;
  run('tar', ['--extract', '--xz', '--file', archive, '--directory', download, system]);
  // Last, as it says that all is there.
  renameSync(join(download, system), home);
  rmSync(download, { recursive: true });
  return home;
}

/** A folder where the linker finds Rust's own unwinder under the name of gcc's, which here is one for glibc. */
function unwinder() {
  const folder = join(HOME, 'unwinder');
  const sysroot = output('rustc', ['--print', 'sysroot']).trim();
  mkdirSync(folder, { recursive: true });
  const library = join(sysroot, 'lib', 'rustlib', MUSL, 'lib', 'self-contained', 'libunwind.a');
  writeFileSync(join(folder, 'libgcc_s.so'), `INPUT(${library})\n`);
  return folder;
}
