// A machine with an ordinary KVM, emulated: QEMU plays an AMD processor with SVM and nested paging, and a stock Debian
// kernel with kvm_amd runs on it. It shows how something behaves on such a machine, never how fast.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, output, ROOT, run, say, stop } from '../system.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const HOME = join(ROOT, 'target', 'standard-kvm');
const KERNEL = join(HOME, 'vmlinuz');
const BASE = join(HOME, 'base');
const MODULES = ['irqbypass', 'ccp', 'kvm', 'kvm-amd'];

/** Fetches what the machine is made of. What is there already is left alone. */
export function prepare() {
  installPackages(
    { 'qemu-system-x86_64': 'qemu-system-x86', busybox: 'busybox-static', cpio: 'cpio' },
    {
      Fedora: 'dnf install qemu-system-x86 busybox cpio',
      Alpine: 'apk add qemu-system-x86_64 busybox-static cpio',
    },
  );
  if (existsSync(KERNEL)) return;
  if (output('dpkg', ['--version']) === undefined) {
    stop('The emulated machine boots a kernel from a Debian package; run this on Debian or Ubuntu.');
  }
  say('fetching a Debian kernel');
  rmSync(HOME, { recursive: true, force: true });
  const download = join(HOME, 'download');
  mkdirSync(download, { recursive: true });
  const depends = output('apt-cache', ['depends', 'linux-image-amd64']) ?? '';
  const [, image] =
    depends.match(/Depends: (linux-image-\S+)/) ?? stop('apt-cache knows no kernel; run apt-get update.');
  run('apt-get', ['download', '--quiet=2', image], { cwd: download });
  const [archive] = readdirSync(download).filter((file) => file.endsWith('.deb'));
  run('dpkg', ['-x', archive, '.'], { cwd: download });

  mkdirSync(join(BASE, 'bin'), { recursive: true });
  mkdirSync(join(BASE, 'modules'));
  cpSync(which('busybox'), join(BASE, 'bin', 'busybox'), { dereference: true });
  const files = readdirSync(download, { recursive: true });
  for (const module of MODULES) {
    const file = files.find((path) => basename(path) === `${module}.ko`) ?? stop(`the kernel has no module ${module}`);
    cpSync(join(download, file), join(BASE, 'modules', `${module}.ko`));
  }
  // Last, as it says that all is there.
  cpSync(
    join(
      download,
      files.find((path) => /^boot\/vmlinuz-/.test(path)),
    ),
    KERNEL,
  );
  rmSync(download, { recursive: true });
}

/** Puts what the machine has of its own into a folder. */
export function fillBase(folder) {
  cpSync(BASE, folder, { recursive: true });
}

/** Copies a program and the libraries that it is linked with into a tree. */
export function addProgram(tree, program, inside = program) {
  const libraries = (output('ldd', [program]) ?? '').match(/\/\S+/g) ?? [];
  for (const [from, to] of [[program, inside], ...libraries.map((library) => [library, library])]) {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(from, join(tree, to), { dereference: true });
  }
}

export function which(program) {
  return output('sh', ['-c', `command -v ${program}`])?.trim() ?? stop(`${program} cannot be found`);
}

/**
 * Boots the machine with a tree over its root, runs a shell command there, and gives its exit status and its output,
 * which is shown as it comes. `kvmOptions` are those of the module kvm_amd.
 */
export async function boot({ tree, command, kvmOptions = '', memoryMib = 6144, minutes = 30 }) {
  const work = mkdtempSync(join(tmpdir(), 'standard-kvm-'));
  try {
    const over = join(work, 'over', 'run');
    mkdirSync(over, { recursive: true });
    writeFileSync(join(work, 'over', 'init'), readFileSync(join(HERE, 'init')), { mode: 0o755 });
    writeFileSync(join(over, 'command'), `${command}\n`);
    writeFileSync(join(over, 'kvm-amd-options'), kvmOptions);
    const initrd = join(work, 'initrd');
    const archives = [BASE, tree, join(work, 'over')].map(
      (folder) => `(cd '${folder}' && find . -mindepth 1 | cpio -o -H newc --quiet)`,
    );
    run('sh', ['-c', `{ ${archives.join('; ')}; } >'${initrd}'`]);

    const [consoleLog, report] = [join(work, 'console'), join(work, 'report')];
    const qemu = spawn(
      'qemu-system-x86_64',
      [
        // One virtual processor: with more, emulation on several threads can lock the kernel up.
        ...['-accel', 'tcg', '-machine', 'q35', '-cpu', 'EPYC,+svm,+npt', '-smp', '1', '-m', String(memoryMib)],
        ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-kernel', KERNEL, '-initrd', initrd],
        ...['-append', 'console=ttyS0 panic=-1 quiet mitigations=off nokaslr random.trust_cpu=on tsc=reliable'],
        ...['-serial', `file:${consoleLog}`, '-serial', 'stdio', '-serial', `file:${report}`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const timer = setTimeout(() => qemu.kill('SIGKILL'), minutes * 60_000);
    const chunks = [];
    qemu.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    const complaints = [];
    qemu.stderr.on('data', (chunk) => complaints.push(chunk));
    await new Promise((resolve, reject) => qemu.on('close', resolve).on('error', reject));
    clearTimeout(timer);
    const lines = Buffer.concat(complaints).toString().split('\n');
    process.stderr.write(lines.filter((line) => !line.includes("TCG doesn't support requested feature")).join('\n'));
    const status = existsSync(report) ? readFileSync(report, 'utf8').match(/^status (\d+)/m) : null;
    if (!status) {
      const log = existsSync(consoleLog) ? readFileSync(consoleLog, 'utf8').split('\n').slice(-40).join('\n') : '';
      stop(`the emulated machine ended without a report (time limit: ${minutes} minutes); its console:\n${log}`);
    }
    return { status: Number(status[1]), text: Buffer.concat(chunks).toString() };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
