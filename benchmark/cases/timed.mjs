// What most cases are: calls of a handler, each of them timed, in as many tenants as are to be in flight.
import assert from 'node:assert/strict';

/**
 * - `how`: `call`; `fresh`, a call in clean state; `pool`, the same through a pool, for those that have one; `cold`, a call
 *   in a new tenant; `run`, the same for a program that is new each time, with the time of giving the tenant up;
 * - `stocked`: for `cold`, those that can keep tenants in stock have one before each;
 * - `rested`: not before the subject is ready for as many as it can be, for those that prepare tenants ahead, and without the
 *   time of giving one up;
 * - `oneSample`: each sample in a new process;
 * - `inFlight`: how many at once, and `each`: how many of these one after the other make up a sample;
 * - `without`: the subjects that cannot take part.
 */
export function timed({
  name,
  about,
  program,
  event,
  how = 'call',
  stocked = false,
  rested = false,
  inFlight = 1,
  each = 1,
  oneSample = false,
  without = ['floor'],
}) {
  async function start(subject) {
    const wanted = JSON.stringify(await inHost(program)(structuredClone(event)));
    const check = (result) => assert.equal(JSON.stringify(result), wanted, 'a wrong result');
    if (subject.time) return subject.time();
    if (how === 'cold') return () => cold(subject, check);
    if (how === 'run') return runner(subject, check);
    const { callers, rest } = await callersOf(subject);
    return async () => {
      if (rested) await rest?.();
      return together(callers, check);
    };
  }

  async function cold(subject, check) {
    if (stocked) await subject.stock?.(program);
    const started = performance.now();
    const tenant = await subject.open(program);
    const result = await tenant.call(event);
    const ms = performance.now() - started;
    check(result);
    await tenant.close();
    return { ms };
  }

  async function runner(subject, check) {
    const { run, rest } = (await subject.openRunner?.(program.host)) ?? { run: (source) => once(subject, source) };
    let runs = 0;
    return async () => {
      if (rested) await rest?.();
      // Nobody has compiled this one before.
      const source = `${program.source}\n// ${process.pid} ${++runs}`;
      const started = performance.now();
      const { result, end } = await run(source, event);
      if (!rested) await end?.();
      const ms = performance.now() - started;
      if (rested) await end?.();
      check(result);
      return { ms };
    };
  }

  async function once(subject, source) {
    const tenant = await subject.open({ ...program, source });
    return { result: await tenant.call(event), end: tenant.close };
  }

  async function callersOf(subject) {
    if (how === 'pool' && subject.openPool) {
      const pool = await subject.openPool(program, 2 * inFlight);
      return { callers: Array.from({ length: inFlight }, () => () => pool.call(event)), rest: pool.rest };
    }
    const tenants = await Promise.all(Array.from({ length: inFlight }, () => subject.open(program)));
    return { callers: tenants.map((tenant) => () => (how === 'call' ? tenant.call(event) : tenant.fresh(event))) };
  }

  async function together(callers, check) {
    const results = [];
    const started = performance.now();
    await Promise.all(
      callers.map(async (call) => {
        for (let i = 0; i < each; i++) results.push(await call());
      }),
    );
    const ms = (performance.now() - started) / results.length;
    results.forEach(check);
    return { ms };
  }

  return { name, about, units: ['ms'], without, oneSample, start };
}

/** The handler in the host's own engine, for what its result has to be. */
function inHost({ source, host }) {
  return new Function('host', `${source}\nreturn handler;`)(host);
}
