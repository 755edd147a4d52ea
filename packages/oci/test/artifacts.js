// Functions in folders, for the tests.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleFunction, parseReference } from '../lib/index.js';
import * as layout from '../lib/layout.js';
import * as manifests from '../lib/manifest.js';
import { Repository } from '../lib/registry.js';

// Where the bundler is, and packages to bundle.
const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(PACKAGES);

export class Artifacts {
  folder = mkdtempSync(join(PACKAGES, 'node_modules', '.artifacts-'));
  #made = 0;

  constructor(onEnd) {
    onEnd(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** A name in a folder of its own for which nothing is there. */
  place() {
    return join(this.folder, String(this.#made++));
  }

  /** A folder with a function of this source. */
  async bundle(source, options = {}) {
    const entry = `${this.place()}.ts`;
    writeFileSync(entry, source);
    const folder = this.place();
    return { folder, ...(await bundleFunction({ entry, folder, ...options })) };
  }
}

/** Has the function in a folder consist of what `change` makes of the contents of its small blobs. */
export async function altered(folder, change) {
  const digest = await layout.find(folder, 'latest');
  const manifest = JSON.parse(await layout.readBlob(folder, digest, 2 ** 20));
  const content = async (blob) => JSON.parse(await layout.readBlob(folder, blob.digest, 2 ** 20));
  const replace = async (blob, value) =>
    Object.assign(blob, await layout.writeBlob(folder, Buffer.from(JSON.stringify(value))));
  await change({ manifest, content, replace });
  const own = await layout.writeBlob(folder, Buffer.from(JSON.stringify(manifest)));
  await layout.setTag(folder, 'latest', { ...own, artifactType: manifests.FUNCTION_TYPE });
  return own.digest;
}

/** Has the function in a folder be of a version that nobody knows yet. */
export function ofNewerVersion(folder) {
  return altered(folder, ({ manifest }) => {
    manifest.config.mediaType = manifest.config.mediaType.replace('.v1+', '.v9+');
  });
}

/** Pushes what is in a folder, whatever it is. */
export async function pushUnchecked(folder, reference) {
  const to = parseReference(reference);
  const repository = new Repository(to, { credentials: () => undefined });
  const bytes = await layout.readBlob(folder, await layout.find(folder, 'latest'), 2 ** 20);
  const { config, layers } = JSON.parse(bytes);
  for (const blob of [config, ...layers]) await repository.putBlob(blob, layout.fileOf(folder, blob.digest));
  await repository.putManifest(to.tag, bytes);
}

/** Has the snapshot of a function be one that was made by another version of the package. */
export function withUnfitSnapshot(folder) {
  return altered(folder, async ({ manifest, content, replace }) => {
    const { layers } = manifest;
    const snapshot = layers.find(({ mediaType }) => /snapshot\.v1\+json/.test(mediaType));
    const ofSnapshot = await content(snapshot);
    const config = layers.find(({ digest }) => digest === ofSnapshot.config.digest);
    const configuration = await content(config);
    configuration.metadata['hyperlight-js'].guest = '0'.repeat(64);
    await replace(config, configuration);
    Object.assign(ofSnapshot.config, { digest: config.digest, size: config.size });
    await replace(snapshot, ofSnapshot);
  });
}
