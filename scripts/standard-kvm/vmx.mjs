// A machine with an ordinary KVM, emulated: Bochs plays an Intel processor with VMX and EPT, which QEMU does not, and a stock Debian
// kernel with kvm_intel runs on it. It executes some 25 million instructions a second, so it takes minutes to boot.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installPackages, output, ROOT, run, say, stop } from '../system.mjs';
import { which } from './machine.mjs';

const HOME = join(ROOT, 'target', 'standard-kvm-vmx');
const KERNEL = join(HOME, 'vmlinuz');
const BASE = join(HOME, 'base');
const MODULES = ['irqbypass', 'kvm', 'kvm-intel'];
const LOADER = '/usr/lib/ISOLINUX/isolinux.bin';
const LOADER_MODULE = '/usr/lib/syslinux/modules/bios/ldlinux.c32';

/** Fetches what the machine is made of. What is there already is left alone. */
export function prepare() {
  installPackages(
    {
      bochs: ['bochs', 'bochsbios', 'vgabios', 'bochs-term', 'isolinux', 'syslinux-common'],
      xorriso: ['xorriso'],
      busybox: ['busybox-static'],
      cpio: ['cpio'],
      lz4: ['lz4'],
      script: ['bsdutils'],
    },
    {},
  );
  if (existsSync(KERNEL)) return;
  say('fetching a Debian kernel');
  rmSync(HOME, { recursive: true, force: true });
  const download = join(HOME, 'download');
  mkdirSync(download, { recursive: true });
  const depends = output('apt-cache', ['depends', 'linux-image-amd64']) ?? '';
  const [, image] =
    depends.match(/Depends: (linux-image-\S+)/) ?? stop('apt-cache knows no kernel; run apt-get update.');
  run('apt-get', ['download', '--quiet=2', '-oAPT::Sandbox::User=root', image], { cwd: download });
  run('dpkg', ['-x', readdirSync(download).find((file) => file.endsWith('.deb')), '.'], { cwd: download });
  for (const folder of ['bin', 'modules']) mkdirSync(join(BASE, folder), { recursive: true });
  cpSync(which('busybox'), join(BASE, 'bin', 'busybox'), { dereference: true });
  const files = readdirSync(download, { recursive: true });
  const find = (wanted) => files.find(wanted) ?? stop('the package of the kernel is not as it used to be');
  for (const module of MODULES) {
    const file = find((path) => basename(path) === `${module}.ko`);
    cpSync(join(download, file), join(BASE, 'modules', `${module}.ko`));
  }
  // Last, as it says that all is there.
  cpSync(
    join(
      download,
      find((path) => /^boot\/vmlinuz-/.test(path)),
    ),
    KERNEL,
  );
  rmSync(download, { recursive: true });
}

/**
 * Boots the machine with a tree over its root, runs a shell command there, and gives its exit status and its output, which is shown
 * as it comes.
 */
export async function boot({ tree, command, memoryMib = 2048, minutes = 120 }) {
  const work = mkdtempSync(join(tmpdir(), 'standard-kvm-'));
  try {
    const file = (name) => join(work, name);
    makeImage(file, tree, command);
    writeFileSync(
      file('bochsrc'),
      [
        'config_interface: textconfig',
        'display_library: term',
        'romimage: file=/usr/share/bochs/BIOS-bochs-latest',
        'vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest',
        'cpu: model=corei7_haswell_4770, count=1, ips=100000000, reset_on_triple_fault=0',
        `memory: guest=${memoryMib}, host=${memoryMib}`,
        `ata0-master: type=cdrom, path=${file('image')}, status=inserted`,
        'boot: cdrom',
        `com1: enabled=1, mode=file, dev=${file('console')}`,
        `com2: enabled=1, mode=file, dev=${file('output')}`,
        `log: ${file('log')}`,
        'panic: action=report',
        'error: action=ignore',
        'clock: sync=none',
        'speaker: enabled=0',
        '',
      ].join('\n'),
    );
    // Debian's Bochs has its debugger built in, which waits for this.
    writeFileSync(file('debugger'), 'c\n');
    writeFileSync(file('output'), '');
    // The display needs a terminal.
    const bochs = spawn(
      'script',
      ['-qfc', `exec bochs -q -f ${file('bochsrc')} -rc ${file('debugger')}`, file('terminal')],
      {
        stdio: 'ignore',
        detached: true,
      },
    );
    const ended = new Promise((resolve, reject) => bochs.on('close', resolve).on('error', reject));
    const timer = setTimeout(() => process.kill(-bochs.pid, 'SIGKILL'), minutes * 60_000);
    let shown = 0;
    let screen;
    const look = setInterval(() => {
      screen ??= readScreen(file('terminal'));
      const text = readFileSync(file('output')).subarray(shown);
      shown += text.length;
      process.stdout.write(text);
    }, 500);
    await ended;
    clearTimeout(timer);
    clearInterval(look);
    screen?.kill();
    const all = readFileSync(file('output'));
    process.stdout.write(all.subarray(shown));
    const text = all.toString();
    const status = text.match(/^the machine ends with status (\d+)$/m);
    if (!status) {
      const log = existsSync(file('console'))
        ? readFileSync(file('console'), 'utf8').split('\n').slice(-40).join('\n')
        : '';
      stop(`the emulated machine ended without a report (time limit: ${minutes} minutes); its console:\n${log}`);
    }
    return { status: Number(status[1]), text };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Makes an image of a CD that boots the kernel with all files in memory. */
function makeImage(file, tree, command) {
  const [disc, over] = [file('disc'), file('over')];
  mkdirSync(join(disc, 'isolinux'), { recursive: true });
  mkdirSync(join(over, 'run'), { recursive: true });
  cpSync(join(import.meta.dirname, 'init-vmx'), join(over, 'init'));
  run('chmod', ['+x', join(over, 'init')]);
  writeFileSync(join(over, 'run', 'command'), `${command}\n`);
  const archives = [BASE, tree, over].map(
    (folder) => `(cd '${folder}' && find . -mindepth 1 | cpio -o -H newc --quiet)`,
  );
  // What takes the fewest instructions to unpack, in the one format that the kernel knows.
  run('sh', ['-c', `{ ${archives.join('; ')}; } | lz4 -l -9 -q >'${join(disc, 'initrd')}'`]);
  cpSync(KERNEL, join(disc, 'vmlinuz'));
  for (const part of [LOADER, LOADER_MODULE]) cpSync(part, join(disc, 'isolinux', basename(part)));
  const kernelOptions = 'console=ttyS0 panic=-1 mitigations=off nokaslr tsc=reliable lpj=1000000 loglevel=4';
  writeFileSync(
    join(disc, 'isolinux', 'isolinux.cfg'),
    `default linux\nprompt 0\ntimeout 1\nlabel linux\n kernel /vmlinuz\n append initrd=/initrd ${kernelOptions}\n`,
  );
  const bootable = ['-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat', '-no-emul-boot', '-boot-load-size', '4'];
  run('xorriso', [
    '-report_about',
    'WARNING',
    '-as',
    'mkisofs',
    '-quiet',
    '-o',
    file('image'),
    ...bootable,
    '-boot-info-table',
    disc,
  ]);
}

/** Reads what Bochs draws on a terminal of its own, as soon as it has said which: it stops when that is full. */
function readScreen(log) {
  if (!existsSync(log)) return undefined;
  const [, screen] = readFileSync(log, 'latin1').match(/connected to screen "(\/dev\/pts\/\d+)"/) ?? [];
  return screen && spawn('cat', [screen], { stdio: 'ignore' });
}
