// What most cases are: calls of a handler, each of them timed, in as many tenants as are to be in flight.
import assert from 'node:assert/strict';

/**
 * - `how`: `call`; `fresh`, a call in clean state; `pool`, the same through a pool, for those that have one; `cold`, a call
 *   in a new tenant;
 * - `rested`: not before the subject is ready for as many as it can be, for those that prepare tenants ahead;
 * - `inFlight`: how many at once, and `each`: how many of these one after the other make up a sample;
 * - `without`: the subjects that cannot take part.
 */
export function timed({
  name,
  about,
  program,
  event,
  how = 'call',
  rested = false,
  inFlight = 1,
  each = 1,
  without = ['floor'],
}) {
  async function start(subject) {
    const wanted = JSON.stringify(await inHost(program)(structuredClone(event)));
    const check = (result) => assert.equal(JSON.stringify(result), wanted, 'a wrong result');
    if (subject.time) return subject.time();
    if (how === 'cold') return () => cold(subject, check);
    const { callers, rest } = await callersOf(subject);
    return async () => {
      if (rested) await rest?.();
      return together(callers, check);
    };
  }

  async function cold(subject, check) {
    const started = performance.now();
    const tenant = await subject.open(program);
    const result = await tenant.call(event);
    const ms = performance.now() - started;
    check(result);
    await tenant.close();
    return { ms };
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

  return { name, about, units: ['ms'], without, start };
}

/** The handler in the host's own engine, for what its result has to be. */
function inHost({ source, host }) {
  return new Function('host', `${source}\nreturn handler;`)(host);
}
