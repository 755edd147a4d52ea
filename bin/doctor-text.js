// The report of the doctor for humans.

const WIDTH = 18;

function describe(report) {
  const { library, node, system, hypervisor, processor, memory, limits, steps, failure, ok } = report;
  const lines = [
    line('library', `@hyperlight/js-host-api ${library.version}`),
    line('guest image', library.guestImage ? `${library.guestImage.version}, SHA-256 ${library.guestImage.hash}` : '?'),
    line('Node.js', `${node.version}, Node-API ${node.nodeApi}`),
    line('system', [system.platform, system.architecture, system.release, system.libc].filter(Boolean).join(', ')),
    ...hypervisorLines(hypervisor),
    line('processor', `${processor.count} × ${processor.model ?? '?'}`),
    ...featureLines(processor.features),
    line(
      'memory',
      `${mebibytes(memory.availableBytes)} available of ${mebibytes(memory.totalBytes)}`,
      memoryNeed(memory),
    ),
    line('open files', limits.openFiles.limit ?? 'no limit', need(limits.openFiles, '')),
    line('memory maps', limits.memoryMaps.limit ?? 'no limit', need(limits.memoryMaps, '')),
    line('threads', limits.threads.limit ?? 'no limit', need(limits.threads, '')),
    line('locked memory', bytes(limits.lockedMemoryBytes.limit), need(limits.lockedMemoryBytes, ' bytes')),
    '',
    ...steps.map(({ name, milliseconds }) => line(name, `${milliseconds.toFixed(3).padStart(10)} ms`)),
    ...(failure ? [line(failure.step, 'failed')] : []),
    '',
    ok
      ? 'Sandboxes work here.'
      : `Sandboxes do not work here: ${failure.code ? `${failure.code}: ` : ''}${failure.message}`,
  ];
  if (report.warning) lines.push(`But ${report.warning}`);
  if (!ok && hypervisor.advice) lines.push(`What to do: ${hypervisor.advice}`);
  return `${lines.join('\n')}\n`;
}

function line(label, ...parts) {
  return `${label.padEnd(WIDTH)}${parts.filter((part) => part !== undefined).join('; ')}`;
}

function hypervisorLines({ device, modules, nestedPaging, entitled }) {
  if (device === null) {
    const may = entitled === null ? undefined : `Node.js may ${entitled ? '' : 'not '}use that of macOS`;
    return [line('hypervisor', may ?? 'not examined on this platform')];
  }
  const { path, present, canBeOpened, error, mode, owner, group } = device;
  const access = canBeOpened ? 'can be opened' : `cannot be opened (${error})`;
  const paging = nestedPaging === null ? undefined : `nested paging ${nestedPaging ? 'on' : 'off'}`;
  return [
    line('hypervisor', present ? `${path} ${access}; ${mode} ${owner}:${group}` : `there is no ${path}`),
    line('kernel modules', modules.length > 0 ? modules.join(' ') : 'none of KVM can be seen', paging),
  ];
}

function featureLines(features) {
  if (features === null) return [];
  const names = (value) => Object.keys(features).filter((name) => features[name] === value);
  return [line('features', names(true).join(' ') || 'none', `not ${names(false).join(' ')}`)];
}

/** What a sandbox takes and how many that allows, if it could be measured. */
function need({ perSandbox, sandboxes }, unit) {
  if (perSandbox === null) return undefined;
  return `${perSandbox}${unit} a sandbox, enough for ${sandboxes ?? 'any number'}`;
}

function memoryNeed({ perSandboxBytes, sandboxes }) {
  if (sandboxes === null) return undefined;
  return `${Math.ceil(perSandboxBytes / 1024)} KiB for a sandbox with next to nothing in it, enough for ${sandboxes}`;
}

function bytes(count) {
  return count === null ? 'no limit' : `${count} bytes`;
}

function mebibytes(count) {
  return `${Math.floor(count / 2 ** 20)} MiB`;
}

module.exports = { describe };
