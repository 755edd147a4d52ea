// Makes a fresh machine ready to build the addon. What is there already is left alone, so a second run is quick.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installPackages, output, ROOT, run, say, stop } from './system.mjs';

// What the napi tools need to build the addon. To use it, an older one does.
const NODE = [20, 12];
const GUEST_TARGETS = ['x86_64-unknown-none', 'x86_64-unknown-linux-musl'];
const RUSTUP = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

export function prepare() {
  checkNode();
  checkRust();
  installTargets();
  installCompilers();
  installModules();
}

function checkNode() {
  if (isOlder(process.versions.node.split('.'), NODE)) {
    stop(`Node.js ${process.versions.node} is too old to build the addon; ${NODE.join('.')} or later is needed.`);
  }
}

function checkRust() {
  // A shell that was open when rustup was installed does not have its folder in PATH.
  const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
  process.env.PATH = [process.env.PATH, cargoBin].join(delimiter);
  const version = output('rustc', ['--version'])?.match(/(\d+)\.(\d+)\.\d+/);
  if (!version || output('cargo', ['--version']) === undefined) {
    stop('Rust is missing. Install it with rustup (the same command on every distribution), then run this again:', {
      'Debian, Ubuntu': `apt-get install curl gcc && ${RUSTUP}`,
      Fedora: `dnf install curl gcc && ${RUSTUP}`,
      Alpine: `apk add curl gcc musl-dev && ${RUSTUP}`,
    });
  }
  const needed = readFileSync(join(ROOT, 'Cargo.toml'), 'utf8').match(/^rust-version = "(\d+)\.(\d+)"/m);
  if (needed && isOlder(version.slice(1), needed.slice(1))) {
    stop(`Rust ${version[0]} is too old; ${needed[1]}.${needed[2]} or later is needed: rustup update stable`);
  }
}

function isOlder([major, minor], [neededMajor, neededMinor]) {
  return (
    Number(major) < Number(neededMajor) ||
    (Number(major) === Number(neededMajor) && Number(minor) < Number(neededMinor))
  );
}

function installTargets() {
  const sysroot = output('rustc', ['--print', 'sysroot'])?.trim() ?? '';
  const missing = GUEST_TARGETS.filter((target) => !existsSync(join(sysroot, 'lib', 'rustlib', target, 'lib')));
  if (missing.length === 0) return;
  if (output('rustup', ['--version']) === undefined) {
    const useRustup = `rustup target add ${missing.join(' ')} (with a Rust that rustup has installed: ${RUSTUP})`;
    stop(`Rust's standard library for ${missing.join(' and ')} is missing. Install it, then run this again:`, {
      'Debian, Ubuntu': useRustup,
      Fedora: `dnf install ${missing.map((target) => `rust-std-static-${target}`).join(' ')}`,
      Alpine: useRustup,
    });
  }
  say(`installing Rust's standard library for ${missing.join(' and ')}`);
  run('rustup', ['target', 'add', ...missing]);
}

function installCompilers() {
  if (process.platform !== 'linux') return;
  // On a system whose own C library is musl the ordinary compiler does the work of musl-gcc.
  const isMusl = process.report?.getReport().header.glibcVersionRuntime === undefined;
  if (isMusl) process.env.CC_x86_64_unknown_linux_musl ??= 'cc';
  const compiler = { cc: ['gcc', 'libc6-dev'] };
  installPackages(isMusl ? compiler : { ...compiler, 'musl-gcc': ['musl-tools'] }, {
    Fedora: 'dnf install gcc musl-gcc',
    Alpine: 'apk add gcc musl-dev',
  });
}

function installModules() {
  // npm writes this file at the end of an installation.
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs) return;
  say('installing npm modules');
  run('npm', ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}
