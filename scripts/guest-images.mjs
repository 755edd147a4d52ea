// Builds the guest images from a clean copy of the sources, as another machine would for another platform, and checks that
// these are the bytes that the addon has embedded, which was built here. The folder differs, and so do cargo's home, the
// target and the flags for the library. The images are left in target/guest-images, for builds with
// HYPERLIGHT_JS_GUEST_IMAGES=target/guest-images.
//
//   npm run guest-images
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySources, ROOT } from './system.mjs';

const IMAGES = { 'guest-kernel': 'GUEST_KERNEL', 'guest-runtime': 'GUEST_RUNTIME' };
const OUTPUT = join(ROOT, 'target', 'guest-images');

const folder = mkdtempSync(join(tmpdir(), 'guest-images-'));
try {
  publish(build(join(folder, "another user's folder")));
} finally {
  rmSync(folder, { recursive: true });
}

/** Builds the images from a copy of the sources and gives their files. */
function build(copy) {
  console.log(`building the guest images in ${copy}`);
  copySources(copy);
  const { HYPERLIGHT_JS_GUEST_IMAGES: _, CARGO_TARGET_DIR: __, ...env } = process.env;
  const other = {
    CARGO_HOME: linkedCargoHome(join(folder, 'cargo-home')),
    CARGO_BUILD_TARGET: 'x86_64-unknown-linux-musl',
    RUSTFLAGS: '-Cdebuginfo=1 -Ctarget-feature=-crt-static',
    CFLAGS: '-Og -g',
    TZ: 'Asia/Tokyo',
  };
  // Whatever builds the library builds the images: a check does no more than that.
  const args = ['check', '--quiet', '--release', '--lib', '--no-default-features', '--locked', '--message-format=json'];
  const { status, stdout, error } = spawnSync('cargo', args, {
    cwd: copy,
    env: { ...env, ...other },
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

function cargoHome() {
  return process.env.CARGO_HOME ?? join(homedir(), '.cargo');
}

/** The same cargo home, by another name. */
function linkedCargoHome(home) {
  mkdirSync(home);
  for (const name of readdirSync(cargoHome())) symlinkSync(join(cargoHome(), name), join(home, name));
  return home;
}

/** Puts the images where other builds find them, and checks that the addon has the same. */
function publish(files) {
  mkdirSync(OUTPUT, { recursive: true });
  const images = Object.entries(files).map(([image, file]) => {
    copyFileSync(file, join(OUTPUT, image));
    const bytes = readFileSync(file);
    console.log(`${image}: ${bytes.length} bytes, SHA-256 ${sha256(bytes)}`);
    return bytes;
  });
  const hash = sha256(...images);
  const { SandboxBuilder } = createRequire(import.meta.url)('@hyperlight/js-host-api');
  if (SandboxBuilder.guestImage.hash !== hash) {
    throw new Error(
      `the addon has embedded ${SandboxBuilder.guestImage.hash} instead of ${hash}: the images are not reproducible, or ` +
        'it is a debug build or an old one',
    );
  }
  console.log(`guest image: ${hash}, as the addon says; the files are in target/guest-images`);
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
