// Errors of jobs on their way from the worker to the caller: BullMQ keeps the reason of a failure as text, so it is JSON.
import { UnrecoverableError } from 'bullmq';

/** Bytes of a text of the guest's that are kept of it. */
const TEXT_MAX = 2048;

/** Troubles of the worker's: another attempt, perhaps on another machine, may do. All others would come again. */
const WORKER_TROUBLES = new Set([
  'ERR_CONSUMED',
  'ERR_INTERNAL',
  'ERR_NO_HYPERVISOR',
  'ERR_NO_THREAD',
  'ERR_POOL_FULL',
  'ERR_POOL_PREPARE',
  'ERR_REGISTRY',
  'ERR_REGISTRY_AUTH',
  'ERR_UNAVAILABLE',
]);

/** The error with which a job fails. BullMQ tries it again only if that may help, and as often as the job's `attempts` say. */
export function failureOf(error) {
  const code = typeof error?.code === 'string' ? error.code : 'ERR_INTERNAL';
  const reason = JSON.stringify({
    code,
    message: cut(error?.message),
    terminatedBy: error?.terminatedBy,
    guestName: cut(error?.guestName),
    guestMessage: cut(error?.guestMessage),
    guestStack: cut(error?.guestStack),
    receipt: factsOf(error?.receipt),
  });
  return WORKER_TROUBLES.has(code) ? new Error(reason) : new UnrecoverableError(reason);
}

/** A receipt without the lines of the console, which may be long. */
export function factsOf(receipt) {
  if (receipt === undefined) return undefined;
  const { console: _, ...facts } = receipt;
  return facts;
}

/** The error that a caller is given for the reason of a job's failure. */
export function errorOf(reason) {
  const known = parsed(reason);
  if (known === undefined) {
    // It is BullMQ's: the workers that had it were lost.
    const code = /stalled/.test(reason) ? 'ERR_WORKER_LOST' : 'ERR_INTERNAL';
    return Object.assign(new Error(reason), { code });
  }
  const { message, ...properties } = known;
  return Object.assign(new Error(message), properties);
}

function parsed(reason) {
  try {
    const known = JSON.parse(reason);
    return typeof known?.code === 'string' ? known : undefined;
  } catch {
    return undefined;
  }
}

function cut(text) {
  return typeof text === 'string' ? text.slice(0, TEXT_MAX) : undefined;
}
