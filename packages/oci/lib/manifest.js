// What the artifact of a function consists of: a manifest of OCI, whose configuration says which version of this form it
// has, and a blob for the source, and for each part of a snapshot.
import { damaged, failure } from './failure.js';
import { isDigest } from './reference.js';
import { MANIFEST_TYPE } from './registry.js';

/** The newest form that this package knows. */
const VERSION = 1;
const TYPE = /^application\/vnd\.hyperlight\.function\.v(\d{1,9})\+json$/;
export const FUNCTION_TYPE = `application/vnd.hyperlight.function.v${VERSION}+json`;
const SOURCE_TYPE = 'application/vnd.hyperlight.function.source.v1+javascript';
/** The manifest of a snapshot, which names its parts. It has no type of manifests, since registries look for those elsewhere. */
const SNAPSHOT_TYPE = 'application/vnd.hyperlight.function.snapshot.v1+json';
const TITLE = 'org.opencontainers.image.title';
/** Bytes of the largest source: more than a guest of the largest heap takes. */
export const SOURCE_SIZE_MAX = 256 * 2 ** 20;
export const SMALL_SIZE_MAX = 2 * 2 ** 20;
/** Bytes of the largest blob: more than the largest heap. */
const BLOB_SIZE_MAX = 16 * 2 ** 30;
const LAYERS_MAX = 16;

/** The manifest for these blobs, each with `digest` and `size`; those of the snapshot may be missing. */
export function manifestOf({ config, source, snapshot, parts = [] }) {
  const layers = [{ mediaType: SOURCE_TYPE, ...source, annotations: { [TITLE]: 'source.js' } }];
  if (snapshot !== undefined) {
    layers.push({ mediaType: SNAPSHOT_TYPE, ...snapshot, annotations: { [TITLE]: 'snapshot.json' } }, ...parts);
  }
  const own = { mediaType: FUNCTION_TYPE, ...config };
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, artifactType: FUNCTION_TYPE, config: own, layers }),
  );
}

/** The configuration of a function. The guest image is that which its snapshot fits. */
export function configurationOf({ guestImage }) {
  return Buffer.from(JSON.stringify({ version: VERSION, guestImage }));
}

/** The blobs of a manifest, which comes from somebody else: all, and those with a meaning of their own. */
export function readManifest(bytes) {
  const { config, layers } = parsed(bytes);
  const [, version] = typeof config?.mediaType === 'string' ? (config.mediaType.match(TYPE) ?? []) : [];
  if (version === undefined || !Array.isArray(layers)) throw damaged('this is not the manifest of a function');
  checkVersion(Number(version));
  const all = [config, ...layers];
  const isBlob = (it) => isDigest(it?.digest) && Number.isInteger(it.size) && it.size >= 0 && it.size <= BLOB_SIZE_MAX;
  if (layers.length > LAYERS_MAX || !all.every(isBlob)) throw damaged('the manifest of the function is malformed');
  const source = layers.find(({ mediaType }) => mediaType === SOURCE_TYPE);
  const snapshot = layers.find(({ mediaType }) => mediaType === SNAPSHOT_TYPE);
  if (source === undefined) throw damaged('the function has no source');
  if (source.size > SOURCE_SIZE_MAX) throw damaged(`the source of the function has ${source.size} bytes`);
  return { config, source, snapshot, blobs: all.map(({ digest, size }) => ({ digest, size })) };
}

/** The parts that the manifest of a snapshot names. */
export function partsOf(bytes) {
  const { config, layers } = parsed(bytes);
  if (!Array.isArray(layers) || layers.length > LAYERS_MAX) throw damaged('the snapshot of the function is malformed');
  return [config, ...layers].map((it) => Object(it));
}

/** Checks the configuration, which has a version as well. */
export function checkConfiguration(bytes) {
  const { version } = parsed(bytes);
  if (!Number.isInteger(version) || version < 1) throw damaged('the configuration of the function is malformed');
  checkVersion(version);
}

function checkVersion(version) {
  if (version <= VERSION) return;
  const text = `the function has a manifest of version ${version}, and this package knows those up to ${VERSION}`;
  throw failure('ERR_ARTIFACT_VERSION', `${text}: update @hyperlight/oci`);
}

function parsed(bytes) {
  try {
    return Object(JSON.parse(bytes.toString()));
  } catch {
    throw damaged('the manifest of the function is not JSON');
  }
}
