// Makes a folder with a function of a program and of the npm packages that it imports.
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { bundle } from '@hyperlight/js-host-api/bundle';
import { failure } from './failure.js';
import * as layout from './layout.js';
import * as manifests from './manifest.js';

/** What the top level of a function may take. */
const LIMITS = { wallClockTimeoutMs: 60_000, cpuTimeoutMs: 30_000 };
const SNAPSHOT_TAG = 'snapshot';

/**
 * Writes the folder, with the tag `latest`, or as it was before: in the place of another function's folder, but of no
 * other. `entry` is a file, a folder with a package, or the name of a package. Where there is no hypervisor the function is
 * without a snapshot, and each worker makes its own.
 */
export async function bundleFunction({ entry, folder, snapshot = true, ...options }) {
  const bundled = await bundle({ ...options, entry: await entryOf(entry) });
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  await checkReplaceable(target);
  const made = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    await layout.prepare(made);
    const taken = snapshot ? await saveSnapshot(bundled.code, made) : { reason: 'none was asked for' };
    const bytes = manifests.manifestOf({
      config: await layout.writeBlob(made, manifests.configurationOf({ guestImage: SandboxBuilder.guestImage.hash })),
      source: await layout.writeBlob(made, Buffer.from(bundled.code)),
      snapshot: taken.manifest,
      parts: taken.parts,
    });
    const own = await layout.writeBlob(made, bytes);
    await layout.setTag(made, 'latest', { ...own, artifactType: manifests.FUNCTION_TYPE });
    await replace(target, made);
    return { ...bundled, digest: own.digest, snapshot: taken.manifest?.digest, withoutSnapshot: taken.reason };
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

/** A folder without a package.json is what its index file is. */
async function entryOf(entry) {
  const isFolder = await stat(entry).then(
    (it) => it.isDirectory(),
    () => false,
  );
  // Without this the bundler would take a folder for the name of a package.
  return isFolder ? resolve(entry) : entry;
}

/** Loads the function, so that it is known to load, and saves its state. */
async function saveSnapshot(code, folder) {
  let sandbox;
  try {
    sandbox = await (await new SandboxBuilder().build()).loadRuntime();
  } catch (error) {
    if (error.code !== 'ERR_NO_HYPERVISOR') throw error;
    return { reason: error.message };
  }
  sandbox.addHandler('handler', code);
  const loaded = await sandbox.getLoadedSandbox(LIMITS);
  try {
    const digest = await (await loaded.snapshot()).save(folder, SNAPSHOT_TAG);
    const bytes = await layout.readBlob(folder, digest, manifests.SMALL_SIZE_MAX);
    const parts = manifests.partsOf(bytes).map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
    return { parts, manifest: { digest, size: bytes.length } };
  } finally {
    await loaded[Symbol.asyncDispose]();
  }
}

async function checkReplaceable(folder) {
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw failure('ERR_INVALID_ARG', `${folder} is no folder: ${error.code}`, error);
  });
  if (names.length === 0 || names.includes('oci-layout')) return;
  throw failure('ERR_INVALID_ARG', `${folder} has something else in it than a function`);
}

async function replace(target, made) {
  const old = `${made}-old`;
  const isThere = await rename(target, old).then(
    () => true,
    () => false,
  );
  try {
    await rename(made, target);
  } catch (error) {
    if (isThere) await rename(old, target);
    throw error;
  }
  if (isThere) await rm(old, { recursive: true, force: true });
}
