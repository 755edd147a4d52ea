// Records which functions of the guest's runtime are executed by what guests do most, and in which order, and writes
// guest/runtime/functions.ld: by this the linker puts them beside each other, so that they take few pages. Each page of code costs
// a page fault after a start and after a restore.
//
//   sudo node scripts/function-order/record.mjs
//
// Needs KVM without nested paging, and Linux's tracing of page faults. The runtime is built with each function in pages of its own.
// Then every page that KVM maps is a function that is executed, and a restore has them all unmapped. That build is left in `target`:
// the next one replaces it.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../system.mjs';

const ORDER = join(ROOT, 'guest', 'runtime', 'functions.ld');
const MAP = join(ROOT, 'target', 'function-map');
const TRACE = '/sys/kernel/tracing/instances/function-order';
const EVENTS = ['kvm_mmu_pagetable_walk', 'kvm_mmu_spte_requested'];
const NAMES = ['call', 'cold', 'run', 'host', 'values'];
const PAGE = 4096;

const env = { ...process.env, GUEST_FUNCTION_MAP: MAP };
const { status } = spawnSync('npm', ['run', 'build'], { cwd: ROOT, env, stdio: 'inherit' });
if (status !== 0) throw new Error('the addon cannot be built');
const sections = readMap(readFileSync(MAP, 'utf8'));
const found = new Map();
for (const name of NAMES) {
  for (const address of await faults(name)) {
    const section = sections.findLast(({ start }) => start <= address);
    if (section && address < section.start + Math.ceil(section.size / PAGE) * PAGE && !found.has(section)) {
      found.set(section, name);
    }
  }
  const sizes = [...found].filter(([, its]) => its === name).map(([{ size }]) => size);
  console.log(`${name}: ${sizes.length} more functions, ${sizes.reduce((sum, size) => sum + size, 0)} bytes`);
}
writeFileSync(ORDER, script(found));

/** The input sections of code in a map of the linker, by address: `{ start, size, name, file }`. */
function readMap(text) {
  const line = /^ (\.text\S*)(?:\n)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$/gm;
  return [...text.matchAll(line)]
    .map(([, name, start, size, file]) => ({ start: parseInt(start, 16), size: parseInt(size, 16), name, file }))
    .filter(({ start, size }) => start && size)
    .sort((a, b) => a.start - b.start);
}

/** Addresses at which KVM mapped pages while a scenario went on, in that order. */
async function faults(name) {
  const set = (file, value) => writeFileSync(join(TRACE, file), String(value));
  // One that was stopped has left it.
  if (existsSync(TRACE)) rmdirSync(TRACE);
  mkdirSync(TRACE);
  try {
    const child = fork(join(import.meta.dirname, 'scenarios.mjs'), [name], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // The threads of the process are those that it starts from now on; Node.js's own have no business with KVM.
    set('options/event-fork', 1);
    set('set_event_pid', child.pid);
    set('buffer_size_kb', 32 << 10);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    for (const event of EVENTS) set(`events/kvmmmu/${event}/enable`, 1);
    child.send('go');
    await Promise.race([once(child, 'message'), ended]);
    set('tracing_on', 0);
    const trace = readFileSync(join(TRACE, 'trace'), 'utf8');
    child.send('end');
    await ended.catch(() => {});
    return readTrace(trace);
  } finally {
    rmdirSync(TRACE);
  }
}

/** The address is in the event before: that of the walk through the guest's tables, by the same thread. */
function readTrace(text) {
  const walked = new Map();
  const addresses = [];
  for (const [, thread, event, address] of text.matchAll(/-(\d+) .*?: (kvm_mmu_\w+): (?:addr )?(\w+)/g)) {
    if (event === 'kvm_mmu_pagetable_walk') walked.set(thread, parseInt(address, 16));
    else if (walked.has(thread)) addresses.push(walked.get(thread));
  }
  return addresses;
}

/** A script that adds to the linker's own: what is named here comes before the rest of the code, in this order. */
function script(found) {
  const lines = NAMES.flatMap((name) => {
    const patterns = [...found]
      .filter(([, scenario]) => scenario === name)
      .map(([{ name, file }]) => pattern(name, file));
    return [`/* ${name} */`, ...new Set(patterns)].map((line) => `        ${line}`);
  });
  return `/* The functions that guests execute most, in the order in which they do: see scripts/function-order, which has made this. */
SECTIONS
{
    .text.first :
    {
${lines.join('\n')}
    }
}
INSERT BEFORE .text;
`;
}

/** What finds the section again when the code around it has changed, or the compiler: names have hashes of both. */
function pattern(name, file) {
  if (name === '.text')
    return `*${basename(file)
      .replace(/-[0-9a-f]{16}\..*(?=\.o$)/, '-*')
      .replace(/\((.*)\)$/, ':$1')}(.text)`;
  const kept = name
    .replace(/17h[0-9a-f]{16}E/, '17h*E')
    .replace(/Cs[0-9A-Za-z]+_(?=\d)/g, 'Cs*_')
    .replace(/\.(constprop|isra|part)\.\d+.*/, '.$1.*');
  return `*(${kept})`;
}
