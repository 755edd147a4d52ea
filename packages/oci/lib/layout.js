// Folders with artifacts: image layouts of OCI, in which each blob has its digest for a name.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from './failure.js';
import { isDigest } from './reference.js';
import { digestOf, MANIFEST_SIZE_MAX, MANIFEST_TYPE } from './registry.js';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const TAG = 'org.opencontainers.image.ref.name';
let parts = 0;

/** Makes what is missing of the folder. */
export async function prepare(folder) {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true, mode: 0o700 });
  const file = join(folder, 'oci-layout');
  if ((await sizeOf(file)) === undefined) await write(file, '{"imageLayoutVersion":"1.0.0"}');
}

export function fileOf(folder, digest) {
  return join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
}

/** Whether a blob is there in its whole size. What is written by this package has its digest as well. */
export async function hasBlob(folder, { digest, size }) {
  return (await sizeOf(fileOf(folder, digest))) === size;
}

/** Reads a blob of at most as many bytes, which is what its digest says. */
export async function readBlob(folder, digest, most) {
  const file = fileOf(folder, digest);
  const size = await sizeOf(file);
  if (size === undefined) throw damaged(`${folder} has no blob ${digest}`);
  if (size > most) throw damaged(`${digest} in ${folder} has ${size} bytes; at most ${most} are possible`);
  const bytes = await readFile(file);
  if (digestOf(bytes) !== digest) throw damaged(`${folder} is damaged: ${digest} is something else`);
  return bytes;
}

/** Checks that a blob is what its digest says, without having all of it in memory. */
export async function checkBlob(folder, { digest, size }) {
  if (!(await hasBlob(folder, { digest, size }))) throw damaged(`${folder} has no blob ${digest} of ${size} bytes`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(fileOf(folder, digest))) hash.update(chunk);
  if (`sha256:${hash.digest('hex')}` !== digest) throw damaged(`${folder} is damaged: ${digest} is something else`);
}

export async function writeBlob(folder, bytes) {
  const digest = digestOf(bytes);
  await write(fileOf(folder, digest), bytes);
  return { digest, size: bytes.length };
}

/** The digest of the manifest with a tag or digest. */
export async function find(folder, reference) {
  const { manifests } = await readIndex(folder);
  const found = manifests.find((it) => it?.digest === reference || it?.annotations?.[TAG] === reference);
  if (!isDigest(found?.digest)) throw damaged(`${folder} has no ${reference}`);
  return found.digest;
}

/** Has a tag name a manifest from now on. Who reads sees the index as it was before, or whole. */
export async function setTag(folder, tag, { digest, size, artifactType }) {
  const { manifests } = await readIndex(folder, { manifests: [] });
  const others = manifests.filter((it) => it?.annotations?.[TAG] !== tag);
  const own = { mediaType: MANIFEST_TYPE, artifactType, digest, size, annotations: { [TAG]: tag } };
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [...others, own] };
  await write(join(folder, 'index.json'), JSON.stringify(index, null, 2));
}

/** Makes an index if there is none: what reads a snapshot wants one, even if it finds the manifest by its digest. */
export async function ensureIndex(folder) {
  const file = join(folder, 'index.json');
  if ((await sizeOf(file)) !== undefined) return;
  const part = partOf(file);
  await writeFile(part, JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] }), { mode: 0o600 });
  try {
    // Unlike a renamed file it takes no other's place.
    await link(part, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    await rm(part, { force: true });
  }
}

async function readIndex(folder, missing) {
  const file = join(folder, 'index.json');
  const size = await sizeOf(file);
  if (size === undefined && missing !== undefined) return missing;
  if (size === undefined) throw damaged(`${folder} is no folder with a function: it has no index.json`);
  if (size > MANIFEST_SIZE_MAX) throw damaged(`${file} is too large`);
  try {
    const index = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(index?.manifests)) return index;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged(`${file} is no index of manifests`);
}

async function sizeOf(file) {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Writes a file that others see as it was before, or whole. */
async function write(file, content) {
  const part = partOf(file);
  try {
    await writeFile(part, content, { mode: 0o600 });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

function partOf(file) {
  return `${file}.${process.pid}-${parts++}.part`;
}
