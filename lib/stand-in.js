// Stands in for the addon on a platform that has none, or where it is missing: a program that imports the package still
// starts, and build() says what is wrong.
/** The classes of the addon, given the error that says why it could not be loaded: what needs the addon fails with the same. */
exports.standIn = ({ message, cause, code }) => {
  const unavailable = () => Object.assign(new Error(message, { cause }), { code });

  class SandboxBuilder {
    // Which guest it is, only the addon knows.
    static get guestImage() {
      throw unavailable();
    }
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
    setMaxOutputValues() {
      return this;
    }
    setHostPrintFn() {
      return this;
    }
    setEnvironment() {
      return this;
    }
    addHostFunctionModule() {
      return this;
    }
    allowFetch() {
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
    HostFunctionModule: class HostFunctionModule extends Unavailable {},
    InterruptHandle: class InterruptHandle extends Unavailable {},
    JSSandbox: class JSSandbox extends Unavailable {},
    LoadedJSSandbox: class LoadedJSSandbox extends Unavailable {},
    ProtoJSSandbox: class ProtoJSSandbox extends Unavailable {},
    SandboxBuilder,
    SandboxPool: class SandboxPool extends Unavailable {},
    Snapshot,
    // Nothing is counted.
    readMetrics: () => '{}',
    // There is no host call to be in.
    hostCall: () => undefined,
  };
};
