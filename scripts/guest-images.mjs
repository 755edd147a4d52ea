// Builds the guest images from two clean copies of the sources, as two platforms would, and checks that both give the same
// bytes and that these are in the addon. The folders differ, and so do cargo's home, the target and the flags for the
// library. The images are left in target/guest-images, for builds with HYPERLIGHT_JS_GUEST_IMAGES=target/guest-images.
//
//   npm run guest-images
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { ROOT } from './system.mjs';

const IMAGES = { 'guest-kernel': 'GUEST_KERNEL', 'guest-runtime': 'GUEST_RUNTIME' };
const NOT_SOURCES = ['.git', 'node_modules', 'target'];
const OUTPUT = join(ROOT, 'target', 'guest-images');

const folder = mkdtempSync(join(tmpdir(), 'guest-images-'));
try {
  const other = {
    CARGO_HOME: linkedCargoHome(join(folder, 'cargo-home')),
    CARGO_BUILD_TARGET: 'x86_64-unknown-linux-musl',
    RUSTFLAGS: '-Cdebuginfo=1 -Ctarget-feature=-crt-static',
    CFLAGS: '-Og -g',
    TZ: 'Asia/Tokyo',
  };
  const builds = [build(join(folder, 'one')), build(join(folder, "the second copy's folder"), other)];
  for (const image of Object.keys(IMAGES)) compare(image, ...builds.map((files) => files[image]));
  publish(builds[0]);
} finally {
  rmSync(folder, { recursive: true });
}

/** Builds the images from a copy of the sources and gives their files. */
function build(copy, variables = {}) {
  console.log(`building the guest images in ${copy}`);
  cpSync(ROOT, copy, { recursive: true, filter: isSource });
  const { HYPERLIGHT_JS_GUEST_IMAGES: _, CARGO_TARGET_DIR: __, ...env } = process.env;
  // Whatever builds the library builds the images: a check does no more than that.
  const args = ['check', '--quiet', '--release', '--lib', '--no-default-features', '--locked', '--message-format=json'];
  const { status, stdout, error } = spawnSync('cargo', args, {
    cwd: copy,
    env: { ...env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`cargo ${args.join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
  const messages = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const embedded = messages.flatMap(({ env = [] }) => env);
  return Object.fromEntries(
    Object.entries(IMAGES).map(([image, variable]) => [image, embedded.find(([name]) => name === variable)[1]]),
  );
}

function isSource(file) {
  return !relative(ROOT, file)
    .split(sep)
    .some((name) => NOT_SOURCES.includes(name));
}

function cargoHome() {
  return process.env.CARGO_HOME ?? join(homedir(), '.cargo');
}

/** The same cargo home, by another name. */
function linkedCargoHome(home) {
  mkdirSync(home);
  for (const name of readdirSync(cargoHome())) symlinkSync(join(cargoHome(), name), join(home, name));
  return home;
}

function compare(image, one, other) {
  const [a, b] = [readFileSync(one), readFileSync(other)];
  console.log(`${image}: ${a.length} bytes, SHA-256 ${sha256(a)}`);
  if (a.equals(b)) return;
  const at = a.findIndex((byte, index) => byte !== b[index]);
  throw new Error(`${image} is not reproducible: the other copy gives ${sha256(b)}, different from byte ${at} on`);
}

/** Puts the images where other builds find them, and tells the hash, which that of the built addon should be. */
function publish(files) {
  mkdirSync(OUTPUT, { recursive: true });
  for (const [image, file] of Object.entries(files)) copyFileSync(file, join(OUTPUT, image));
  const hash = sha256(...Object.values(files).map((file) => readFileSync(file)));
  const { SandboxBuilder } = createRequire(import.meta.url)('@hyperlight/js-host-api');
  if (SandboxBuilder.guestImage.hash !== hash) {
    throw new Error(
      `the addon has embedded ${SandboxBuilder.guestImage.hash} instead of ${hash}: is it a debug build, or an old one?`,
    );
  }
  console.log(`guest image: ${hash}, as the addon says; the files are in target/guest-images`);
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
