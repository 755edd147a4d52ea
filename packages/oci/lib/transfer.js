// Functions on their way to a registry and back.
import { credentialsFor } from './credentials.js';
import { damaged, failure, invalid } from './failure.js';
import * as layout from './layout.js';
import * as manifests from './manifest.js';
import { isDigest, parseReference } from './reference.js';
import { digestOf, MANIFEST_SIZE_MAX, Repository } from './registry.js';

/** Blobs that are on their way at the same time. */
const TRANSFERS_MAX = 4;

/** Sends the function in a folder to a registry. What is there already is not sent. */
export async function push(folder, reference, { tag = 'latest', ...options } = {}) {
  const to = parseReference(reference);
  if (to.tag === undefined || to.digest !== undefined) throw invalid('a function is pushed to a tag, not to a digest');
  const digest = await layout.find(folder, tag);
  const bytes = await layout.readBlob(folder, digest, MANIFEST_SIZE_MAX);
  const { blobs } = await readFunction(folder, bytes);
  const { repository, stop } = stoppable(to, options);
  let sent = 0;
  await forEach(blobs, stop, async (blob) => {
    if (await repository.hasBlob(blob.digest)) return;
    await layout.checkBlob(folder, blob);
    await repository.putBlob(blob, layout.fileOf(folder, blob.digest));
    sent += blob.size;
  });
  // The tag moves when all is there.
  await repository.putManifest(to.tag, bytes);
  return { digest, sentBytes: sent };
}

/** Fetches a function into a folder, where it has a tag. What is there already is not fetched. */
export async function pull(reference, folder, { tag = 'latest', ...options } = {}) {
  const result = await download(reference, folder, options);
  const { size } = result.manifest;
  await layout.setTag(folder, tag, { digest: result.digest, size, artifactType: manifests.FUNCTION_TYPE });
  return { digest: result.digest, receivedBytes: result.receivedBytes };
}

/** Fetches a function into a folder, without a tag. Several can be fetched at once. */
export async function download(reference, folder, options = {}) {
  const from = parseReference(reference);
  const { repository, stop } = stoppable(from, options);
  const bytes = await repository.manifest(from.digest ?? from.tag);
  if (bytes === undefined) throw notFound(reference);
  const { blobs } = manifests.readManifest(bytes);
  await layout.prepare(folder);
  let received = 0;
  await forEach(blobs, stop, async (blob) => {
    if (await layout.hasBlob(folder, blob)) return;
    await repository.getBlob(blob, layout.fileOf(folder, blob.digest));
    received += blob.size;
  });
  const manifest = await layout.writeBlob(folder, bytes);
  await readFunction(folder, bytes);
  await layout.ensureIndex(folder);
  return { digest: digestOf(bytes), receivedBytes: received, manifest, blobs: [...blobs, manifest] };
}

/** A repository, and what stops all transfers with it. */
function stoppable(reference, options) {
  const controller = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
  return { repository: repositoryOf(reference, { ...options, signal }), stop: () => controller.abort() };
}

/** Does something for each blob, for some at a time. When one fails, the others are stopped, and nothing goes on after it. */
async function forEach(blobs, stop, one) {
  // Two layers of a function may be one blob.
  const left = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  let failed;
  const next = async () => {
    while (left.length > 0 && failed === undefined) {
      try {
        await one(left.shift());
      } catch (error) {
        failed ??= { error };
        stop();
      }
    }
  };
  await Promise.all(Array.from({ length: TRANSFERS_MAX }, next));
  if (failed !== undefined) throw failed.error;
}

/** The digest that a name has in its registry at present. */
export async function resolve(reference, options = {}) {
  const from = parseReference(reference);
  if (from.digest !== undefined) return from.digest;
  const digest = await repositoryOf(from, options).resolve(from.tag);
  if (digest === undefined) throw notFound(reference);
  return digest;
}

/** Throws what is wrong with a registry that can be known without asking it. */
export function checkRegistry(registry, options = {}) {
  repositoryOf(parseReference(`${registry}/x`), options);
}

/** What a folder has of a function: its source, and the digest of its snapshot, if it has one. */
export async function open(folder, reference = 'latest') {
  const digest = isDigest(reference) ? reference : await layout.find(folder, reference);
  const bytes = await layout.readBlob(folder, digest, MANIFEST_SIZE_MAX);
  const { source, snapshot } = await readFunction(folder, bytes);
  const text = (await layout.readBlob(folder, source.digest, manifests.SOURCE_SIZE_MAX)).toString();
  return { digest, source: text, snapshot: snapshot?.digest };
}

async function readFunction(folder, bytes) {
  const found = manifests.readManifest(bytes);
  manifests.checkConfiguration(await layout.readBlob(folder, found.config.digest, manifests.SMALL_SIZE_MAX));
  if (found.snapshot !== undefined) await checkSnapshot(folder, found);
  return found;
}

/** Checks that all parts of the snapshot are blobs of the function. */
async function checkSnapshot(folder, { snapshot, blobs }) {
  const bytes = await layout.readBlob(folder, snapshot.digest, manifests.SMALL_SIZE_MAX);
  const missing = manifests.partsOf(bytes).find(({ digest }) => !blobs.some((blob) => blob.digest === digest));
  if (missing !== undefined) throw damaged(`the function lacks ${String(missing.digest).slice(0, 80)} of its snapshot`);
}

function repositoryOf(reference, { credentials = credentialsFor, ...options }) {
  return new Repository(reference, { credentials, ...options });
}

function notFound(reference) {
  return failure('ERR_FUNCTION_NOT_FOUND', `there is no function ${reference}`);
}
