// Stands in for the addon on a platform that has none, or where it is missing: a program that imports the package still
// starts, and build() says what is wrong.
const { name: PACKAGE } = require('../package.json');

const PLATFORMS = ['linux-x64-gnu', 'linux-x64-musl', 'win32-x64-msvc'];

/** The classes of the addon, given the error with which it could not be loaded. */
exports.standIn = (loadError) => {
  const unavailable = () =>
    Object.assign(new Error(explain(loadError), { cause: loadError }), { code: 'ERR_NO_HYPERVISOR' });

  class SandboxBuilder {
    static fromSnapshot() {
      throw unavailable();
    }
    setHeapSize() {
      return this;
    }
    setScratchSize() {
      return this;
    }
    setInputBufferSize() {
      return this;
    }
    setOutputBufferSize() {
      return this;
    }
    setHostPrintFn() {
      return this;
    }
    async prewarm() {
      throw unavailable();
    }
    async build() {
      throw unavailable();
    }
  }

  // Without a builder there are no objects of the others; they are there for `instanceof`.
  class Unavailable {
    constructor() {
      throw unavailable();
    }
  }
  class Snapshot extends Unavailable {
    static async load() {
      throw unavailable();
    }
  }
  return {
    HostModule: class HostModule extends Unavailable {},
    InterruptHandle: class InterruptHandle extends Unavailable {},
    JSSandbox: class JSSandbox extends Unavailable {},
    LoadedJSSandbox: class LoadedJSSandbox extends Unavailable {},
    ProtoJSSandbox: class ProtoJSSandbox extends Unavailable {},
    SandboxBuilder,
    SandboxPool: class SandboxPool extends Unavailable {},
    Snapshot,
  };
};

function explain(loadError) {
  const platform = platformName();
  if (!PLATFORMS.includes(platform)) {
    return `${PACKAGE} does not run on ${platform}; there are builds for ${PLATFORMS.join(', ')}`;
  }
  const addon = `${PACKAGE}-${platform}`;
  const failure = causes(loadError).find(({ code }) => code !== 'MODULE_NOT_FOUND');
  if (failure) return `the native addon for ${platform} cannot be loaded; install ${addon} again: ${failure.message}`;
  return (
    `${addon}, the package with the native addon for this platform, is not installed. It is an optional dependency of ` +
    `${PACKAGE}: install that again, without --omit=optional; if it is still left out, remove node_modules and ` +
    'package-lock.json first, in case they come from another platform'
  );
}

function platformName() {
  const { platform, arch } = process;
  const name = `${platform}-${arch}`;
  if (name === 'win32-x64') return `${name}-msvc`;
  if (name !== 'linux-x64') return name;
  return `${name}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

/** What was tried: each error has the one before it as its cause. */
function causes({ cause }) {
  return cause ? [cause, ...causes(cause)] : [];
}
