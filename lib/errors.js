// Which errors are those of this package.
const CODES = new Set([
  'ERR_CANCELLED',
  'ERR_COMPILE',
  'ERR_CONSUMED',
  'ERR_GUEST_ABORT',
  'ERR_GUEST_ERROR',
  'ERR_HANDLER_NOT_FOUND',
  'ERR_INTERNAL',
  'ERR_INVALID_ARG',
  'ERR_NO_HYPERVISOR',
  'ERR_NO_THREAD',
  'ERR_PAYLOAD_TOO_LARGE',
  'ERR_POISONED',
  'ERR_POOL_FULL',
  'ERR_POOL_PREPARE',
  'ERR_REENTRANT',
  'ERR_SNAPSHOT',
]);

/** Whether a value is an error with one of these codes. A getter is no code: those of this package are plain properties. */
exports.isSandboxError = (value) =>
  typeof value === 'object' &&
  value !== null &&
  // Unlike `instanceof`, this knows errors of other realms.
  Object.prototype.toString.call(value) === '[object Error]' &&
  CODES.has(Object.getOwnPropertyDescriptor(value, 'code')?.value);
