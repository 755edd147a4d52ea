// Builds the addon as it is published: node scripts/pack/build.mjs [target ...], by default all that can be built here.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GNU as ARM64_GNU,
  MUSL as ARM64_MUSL,
  BUILD_ENVIRONMENT as CROSS,
  MUSL_LIBRARIES,
  prepareCompilers,
} from '../arm64.mjs';
import { prepare } from '../prepare.mjs';
import { installPackages, output, ROOT, run, say } from '../system.mjs';

const HOME = join(ROOT, 'target', 'pack');
/** Where the addons are afterwards. */
export const ADDONS = join(HOME, 'addons');

const X64_GNU = 'x86_64-unknown-linux-gnu';
const X64_MUSL = 'x86_64-unknown-linux-musl';
/** What can be built on Linux on x86-64, and the names of the platforms. */
export const ON_LINUX = {
  [X64_GNU]: 'linux-x64-gnu',
  [X64_MUSL]: 'linux-x64-musl',
  [ARM64_GNU]: 'linux-arm64-gnu',
  [ARM64_MUSL]: 'linux-arm64-musl',
};
/**
 * Toolchains of the napi tools, of which only the C library is used, glibc 2.17: an addon runs with the glibc that it was
 * linked against and with later ones. The oldest that Node.js runs with is 2.28.
 */
const TOOLCHAINS = {
  [X64_GNU]: '@napi-rs/cross-toolchain-x64-target-x86_64@1.0.0',
  [ARM64_GNU]: '@napi-rs/cross-toolchain-x64-target-aarch64@1.0.3',
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  prepare();
  build(process.argv.slice(2));
}

export function build(targets) {
  for (const target of targets.length > 0 ? targets : buildable()) {
    say(`building the addon for ${target}`);
    const isArm64 = target.startsWith('aarch64-unknown-linux');
    if (isArm64) prepareCompilers();
    const options = ['--target', target, '--output-dir', ADDONS, '--no-js'];
    run('npm', ['run', '--silent', 'build', '--', ...options], { env: { ...process.env, ...environment(target) } });
    const platform = ON_LINUX[target];
    const strip = isArm64 ? 'aarch64-linux-gnu-strip' : 'strip';
    if (platform) run(strip, [join(ADDONS, `js-host-api.${platform}.node`)]);
  }
}

/** Those for arm64 only by name: they need other compilers. */
function buildable() {
  if (process.platform === 'darwin') return ['aarch64-apple-darwin'];
  return process.platform === 'linux' ? [X64_GNU, X64_MUSL] : ['x86_64-pc-windows-msvc'];
}

function environment(target) {
  switch (target) {
    case X64_GNU:
    case ARM64_GNU: {
      const system = oldSystem(target);
      // The compiler looks in this machine's folders before it looks in those of the other root.
      return { ...CROSS, ADDON_LINK_ARGS: `--sysroot=${system}\n-L${join(system, 'usr', 'lib')}` };
    }
    case X64_MUSL:
      return { ADDON_LINK_ARGS: `-L${unwinder(target)}`, CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER: 'musl-gcc' };
    case ARM64_MUSL:
      // Here the linker is one for glibc: without its files for the start and the end of a library.
      return { ...CROSS, ADDON_LINK_ARGS: `-nostartfiles\n-L${unwinder(target)}\n-L${MUSL_LIBRARIES}` };
    default:
      return {};
  }
}

/** The root of a system with an old C library. */
function oldSystem(target) {
  const home = join(HOME, target === X64_GNU ? 'old-system' : 'old-system-arm64');
  if (existsSync(home)) return home;
  say('fetching an old C library to link against');
  installPackages({ xz: ['xz-utils'] }, { Fedora: 'dnf install xz', Alpine: 'apk add xz' });
  const download = join(HOME, 'download');
  rmSync(download, { recursive: true, force: true });
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const toolchain = TOOLCHAINS[target];
  run('npm', ['install', '--prefix', download, ...options, toolchain]);
  const archive = join(download, 'node_modules', toolchain.replace(/@[\d.]+$/, ''), `${target}.tar.xz`);
  const system = `./${target}/sysroot`;
  run('tar', ['--extract', '--xz', '--file', archive, '--directory', download, system]);
  // Last, as it says that all is there.
  renameSync(join(download, system), home);
  rmSync(download, { recursive: true });
  return home;
}

/** A folder where the linker finds Rust's own unwinder under the name of gcc's, which here is one for glibc. */
function unwinder(target) {
  const folder = join(HOME, target === X64_MUSL ? 'unwinder' : 'unwinder-arm64');
  const sysroot = output('rustc', ['--print', 'sysroot']).trim();
  mkdirSync(folder, { recursive: true });
  const library = join(sysroot, 'lib', 'rustlib', target, 'lib', 'self-contained', 'libunwind.a');
  writeFileSync(join(folder, 'libgcc_s.so'), `INPUT(${library})\n`);
  return folder;
}
