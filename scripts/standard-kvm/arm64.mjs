// A machine with an ordinary KVM of arm64, emulated: QEMU plays a processor with EL2, and a stock Debian kernel with KVM runs on it.
// It shows how something behaves on such a machine, never how fast. Programs for it are compiled here.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { apt, copyLibraries, NODE_HOME, prepareCompilers, unpack } from '../arm64.mjs';
import { installPackages, ROOT, run, stop } from '../system.mjs';

const HOME = join(ROOT, 'target', 'standard-kvm-arm64');
const KERNEL = join(HOME, 'vmlinuz');
const BASE = join(HOME, 'base');
/**
 * Programs that tests run, which busybox does not have or does otherwise, and where Debian's packages have them. Its `sh` and
 * its `env` run what busybox has of a name, whatever PATH says.
 */
const PROGRAMS = {
  env: 'usr/bin/env',
  mount: 'bin/mount',
  prlimit: 'usr/bin/prlimit',
  setpriv: 'usr/bin/setpriv',
  sh: 'bin/dash',
  unshare: 'usr/bin/unshare',
};
const PACKAGES = ['coreutils', 'dash', 'mount', 'util-linux'];
/** Of their libraries. */
const LIBRARIES = ['libblkid1', 'libcap-ng0', 'libmount1', 'libpcre2-8-0', 'libselinux1', 'libsmartcols1'];

/** Fetches what the machine is made of. What is there already is left alone. */
export function prepare() {
  installPackages(
    { 'qemu-system-aarch64': 'qemu-system-arm', cpio: 'cpio' },
    { Fedora: 'dnf install qemu-system-aarch64 cpio' },
  );
  prepareCompilers();
  const download = join(HOME, 'download');
  if (Object.keys(PROGRAMS).some((program) => !existsSync(join(BASE, 'usr', 'bin', program)))) addPrograms(download);
  if (existsSync(KERNEL)) return;
  rmSync(download, { recursive: true, force: true });
  const depends = apt('apt-cache', ['depends', 'linux-image-arm64']);
  const [, image] = depends.match(/Depends: (linux-image-\S+)/) ?? stop('apt-cache knows no kernel for arm64.');
  unpack([image, 'busybox-static'], download);
  mkdirSync(join(BASE, 'bin'), { recursive: true });
  cpSync(join(download, 'bin', 'busybox'), join(BASE, 'bin', 'busybox'));
  // Last, as it says that all is there.
  const [kernel] = readdirSync(join(download, 'boot')).filter((file) => file.startsWith('vmlinuz-'));
  cpSync(join(download, 'boot', kernel), KERNEL);
  rmSync(download, { recursive: true });
}

function addPrograms(download) {
  rmSync(download, { recursive: true, force: true });
  unpack([...PACKAGES, ...LIBRARIES], download);
  // Each is in /lib or in /usr/lib, under the name that programs ask for and under that of its version.
  mkdirSync(join(BASE, 'lib'), { recursive: true });
  for (const file of readdirSync(download, { recursive: true })) {
    if (/aarch64-linux-gnu\/[^/]+\.so\.\d+$/.test(file))
      cpSync(realpathSync(join(download, file)), join(BASE, 'lib', basename(file)));
  }
  mkdirSync(join(BASE, 'usr', 'bin'), { recursive: true });
  for (const [program, path] of Object.entries(PROGRAMS)) {
    // Some releases of Debian have everything in /usr.
    const [file] = [path, join('usr', path)].map((path) => join(download, path)).filter((file) => existsSync(file));
    cpSync(file, join(BASE, 'usr', 'bin', program));
  }
  rmSync(download, { recursive: true });
}

/** Copies a program that was compiled for the machine into a tree, without what only a debugger reads. */
export function addProgram(tree, program) {
  mkdirSync(dirname(join(tree, program)), { recursive: true });
  run('aarch64-linux-gnu-strip', ['--strip-debug', '-o', join(tree, program), program]);
}

/** Puts the C library into a tree. */
export function fillBase(tree) {
  copyLibraries(join(tree, 'lib'));
}

/** Puts Node.js into a tree, as /bin/node. */
export function addNode(tree) {
  for (const folder of ['bin', 'lib']) cpSync(join(NODE_HOME, folder), join(tree, folder), { recursive: true });
}

/**
 * Boots the machine with a tree over its root, runs a shell command there, and gives its exit status and its output, which is shown
 * as it comes. `cpu` is `cortex-a72`, a processor without the Virtualization Host Extensions, or `max,pauth-impdef=on`, one with all there is.
 */
export async function boot({ tree, command, cpu = 'cortex-a72', memoryMib = 4096, minutes = 30 }) {
  const work = mkdtempSync(join(tmpdir(), 'standard-kvm-'));
  try {
    const over = join(work, 'over', 'run');
    mkdirSync(over, { recursive: true });
    writeFileSync(join(work, 'over', 'init'), readFileSync(join(import.meta.dirname, 'init-arm64')), { mode: 0o755 });
    writeFileSync(join(over, 'command'), `${command}\n`);
    const initrd = join(work, 'initrd');
    const archives = [BASE, tree, join(work, 'over')].map(
      (folder) => `(cd '${folder}' && find . -mindepth 1 | cpio -o -H newc --quiet)`,
    );
    run('sh', ['-c', `{ ${archives.join('; ')}; } >'${initrd}'`]);
    const qemu = spawn(
      'qemu-system-aarch64',
      [
        // One virtual processor: with more, emulation on several threads can lock the kernel up.
        ...['-accel', 'tcg', '-machine', 'virt,virtualization=on,gic-version=2', '-cpu', cpu, '-smp', '1'],
        // Time goes by what is executed there, two nanoseconds for an instruction, and past what nobody does
        // anything in: limits of time are kept or not whatever else this machine has to do.
        ...['-icount', 'shift=1,sleep=off'],
        ...['-m', String(memoryMib), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
        ...['-kernel', KERNEL, '-initrd', initrd, '-append', 'console=ttyAMA0 panic=-1 loglevel=3 mitigations=off'],
        ...['-serial', 'stdio'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const timer = setTimeout(() => qemu.kill('SIGKILL'), minutes * 60_000);
    const chunks = [];
    qemu.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk.toString().replaceAll('\r', ''));
    });
    await new Promise((resolve, reject) => qemu.on('close', resolve).on('error', reject));
    clearTimeout(timer);
    const text = Buffer.concat(chunks).toString().replaceAll('\r', '');
    const status = text.match(/^the machine ends with status (\d+)$/m);
    if (!status) stop(`the emulated machine ended without a report (time limit: ${minutes} minutes)`);
    return { status: Number(status[1]), text };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
