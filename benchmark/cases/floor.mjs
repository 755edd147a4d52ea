// The hypervisor's share of every call.
export const floor = {
  name: 'floor',
  about: 'to the guest and back, from Rust, without a call',
  units: ['ms'],
  without: ['ours', 'v8', 'isolated-vm', 'quickjs-emscripten', 'worker', 'fork'],
  start: (subject) => subject.time(),
};
