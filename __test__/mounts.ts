// Programs that see another /dev than this machine has.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from './sandbox';

const ROOT = join(__dirname, '..', '..');
/** What the shell prints when it begins the program. */
const BEGIN = 'begin\n';

export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, wherever it is. */
export function runToEnd(program: string, args: string[], env = process.env, cwd = ROOT): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, timeout: 2 * PATIENCE_MS }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Runs a program in a mount namespace of its own, after a shell command that changes what is mounted there. */
export async function runAfter(mount: string, ...program: string[]): Promise<Ended> {
  const namespace = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const script = `${mount} && printf '${BEGIN.trim()}\\n' && exec "$@"`;
  const ended = await runToEnd('unshare', [...namespace, '--mount', 'sh', '-c', script, 'sh', ...program]);
  assert.ok(
    ended.stdout.startsWith(BEGIN),
    `this test needs unshare, setpriv and the right to make a mount namespace: ${ended.stderr}`,
  );
  return { ...ended, stdout: ended.stdout.slice(BEGIN.length) };
}

/** Before the name of a program: without the capabilities that let even root open what is closed to it. */
export const UNPRIVILEGED = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all'];

/** The shell command that leaves no device but /dev/kvm, which only root and the group 1 may open. Only root can do this. */
export const ONLY_KVM = `
  folder=$(mktemp -d) && mount -t tmpfs none "$folder" && mknod "$folder/kvm" c 10 232 && chgrp 1 "$folder/kvm" &&
  chmod 660 "$folder/kvm" && mount --move "$folder" /dev && rmdir "$folder"
`.trim();

/** Before the name of a program: as nobody, in the group 1, without any capability. */
export const NOBODY_IN_GROUP = [
  ...['setpriv', '--reuid', '65534', '--regid', '65534', '--groups', '1'],
  ...['--bounding-set', '-all', '--inh-caps', '-all', '--no-new-privs'],
];

/** The shell command that makes /dev/kvm a file that nobody may open. */
export function closedDevice(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'js-host-api-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const closed = join(folder, 'kvm');
  writeFileSync(closed, '');
  chmodSync(closed, 0o000);
  return `mount --bind '${closed}' /dev/kvm`;
}
