// Running commands and installing what the system lacks, for the scripts beside this file.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOT_SOURCES = ['.git', 'node_modules', 'target'];

/** Copies all sources, and the addon if it is built. */
export function copySources(folder) {
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (file) =>
      !relative(ROOT, file)
        .split(sep)
        .some((name) => NOT_SOURCES.includes(name)),
  });
}

export function say(text) {
  console.log(`setup: ${text}`);
}

/** Ends the program with a problem and, for some systems, the commands that solve it. */
export function stop(problem, commands = {}) {
  const lines = Object.entries(commands).map(([system, command]) => `\n  ${`${system}:`.padEnd(16)}${command}`);
  console.error(`setup: ${problem}${lines.join('')}`);
  process.exit(1);
}

/** What a command prints, or `undefined` if it cannot be run or fails. */
export function output(command, args, options = {}) {
  const { status, stdout } = spawn(command, args, ['ignore', 'pipe', 'ignore'], options);
  return status === 0 ? stdout : undefined;
}

/** Runs a command and shows what it prints; a command that fails ends the program. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawn(command, args, 'inherit', options);
  if (status !== 0) {
    const reason = error?.message ?? (signal ? `it was ended by ${signal}` : `exit code ${status}`);
    stop(`this command failed (${reason}): ${[command, ...args].join(' ')}`);
  }
}

/**
 * Installs the Debian packages of those commands that are missing; a command may need several. Where it cannot, it ends
 * the program with what to do: `elsewhere` has the commands for other distributions.
 */
export function installPackages(packagesOfCommands, elsewhere) {
  const missing = Object.keys(packagesOfCommands).filter((command) => !isInstalled(command));
  if (missing.length === 0) return;
  const packages = missing.flatMap((command) => packagesOfCommands[command]);
  const asRoot = isDebian() ? waysToRoot().find(([command, ...rest]) => works(command, [...rest, 'true'])) : undefined;
  if (!asRoot) {
    stop(`${missing.join(' and ')} cannot be found. Install as root, then run this again:`, {
      'Debian, Ubuntu': `apt-get install ${packages.join(' ')}`,
      ...elsewhere,
    });
  }
  say(`installing ${packages.join(' and ')}`);
  const [command, ...rest] = [...asRoot, 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const install = [...rest, 'install', '--yes', '--quiet=2', '--no-install-recommends', ...packages];
  if (!works(command, install)) {
    // The lists of packages are empty or out of date.
    run(command, [...rest, 'update', '--quiet=2']);
    run(command, install);
  }
}

function isInstalled(command) {
  return output('sh', ['-c', `command -v ${command}`]) !== undefined;
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function waysToRoot() {
  return process.getuid?.() === 0 ? [['env']] : [['sudo', '--non-interactive', 'env']];
}

/** Whether a command can be run and succeeds. */
export function works(command, args, stdio = 'ignore') {
  return spawn(command, args, stdio).status === 0;
}

function spawn(command, args, stdio, options = {}) {
  // npm is a batch file on Windows, which needs a shell.
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    ...options,
  });
}
