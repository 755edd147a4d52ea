// Finds and loads the native addon: the one that a build of this checkout has left, or that of the package for this platform.
const { name: PACKAGE } = require('../package.json');

const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-arm64',
  'win32-x64-msvc',
];

/**
 * The addon. `NAPI_RS_NATIVE_LIBRARY_PATH`, as for other native packages, names the file to load instead of searching.
 *
 * Throws an `ERR_NO_HYPERVISOR` that says why it cannot be loaded, with what Node.js said as its cause.
 */
exports.load = () => {
  const requireAtRuntime = unbundledRequire();
  const file = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  if (file) return attempt(() => requireAtRuntime(file), `the native addon ${file} cannot be loaded`);
  const platform = platformName();
  if (!PLATFORMS.includes(platform)) {
    throw unavailable(
      `${PACKAGE} does not run on ${platform}; there are builds for ${PLATFORMS.join(', ')}; see docs/where-it-runs.md`,
    );
  }
  const addon = `${PACKAGE}-${platform}`;
  // Where that feature is off, Windows may have no winhvplatform.dll, which the addon is linked with.
  const first = process.platform === 'win32' ? 'turn on the Windows feature "Windows Hypervisor Platform", or ' : '';
  const failure = `the native addon for ${platform} cannot be loaded; ${first}install ${addon} again`;
  const built = `../js-host-api.${platform}.node`;
  if (canResolve(requireAtRuntime, built)) return attempt(() => requireAtRuntime(built), failure);
  if (canResolve(requireAtRuntime, addon)) return attempt(() => requireAtRuntime(addon), failure);
  throw unavailable(
    `${addon}, the package with the native addon for this platform, is not installed. It is an optional dependency of ` +
      `${PACKAGE}: install that again, without --omit=optional; if it is still left out, remove node_modules and ` +
      'package-lock.json first, in case they come from another platform',
  );
};

/**
 * A `require` that bundlers leave alone: a native addon cannot be part of a bundle. In a bundle it searches from the bundle's
 * own folder, and where the format has no `__filename`, from that of the program.
 */
function unbundledRequire() {
  const { createRequire } = process.getBuiltinModule?.('node:module') ?? require('node:module');
  return createRequire(typeof __filename === 'string' ? __filename : (process.argv[1] ?? `${process.cwd()}/.`));
}

/** The platform as the names of packages have it. */
function platformName() {
  const { platform, arch } = process;
  const name = `${platform}-${arch}`;
  if (name === 'win32-x64') return `${name}-msvc`;
  if (name !== 'linux-x64' && name !== 'linux-arm64') return name;
  return `${name}-${isGlibc() ? 'gnu' : 'musl'}`;
}

function isGlibc() {
  const { report } = process;
  const { excludeNetwork } = report;
  // Otherwise the report looks up the names of this machine's network peers.
  report.excludeNetwork = true;
  try {
    return report.getReport().header.glibcVersionRuntime !== undefined;
  } catch (error) {
    throw unavailable(`cannot tell whether this system has glibc or musl: ${error.message}`, error);
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

function canResolve(require, request) {
  try {
    require.resolve(request);
    return true;
  } catch {
    return false;
  }
}

function attempt(load, failure) {
  try {
    return load();
  } catch (error) {
    throw unavailable(`${failure}: ${error.message}`, error);
  }
}

function unavailable(message, cause) {
  return Object.assign(new Error(message, { cause }), { code: 'ERR_NO_HYPERVISOR' });
}
