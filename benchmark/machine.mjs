// What the figures depend on, and nothing that tells one machine from another of its kind.
import { existsSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

const HYPERVISORS = ['kvm_pvm', 'kvm_amd', 'kvm_intel'];

export function machine(versions) {
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release().split('-')[0]}`,
    hypervisor: HYPERVISORS.find((name) => existsSync(`/sys/module/${name}`)) ?? 'unknown',
    node: process.versions.node,
    peers: versions,
  };
}
