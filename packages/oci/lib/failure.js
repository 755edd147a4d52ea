// Errors of this package. The README says what each code means.

export function failure(code, message, cause) {
  return Object.assign(new Error(message, { cause }), { code });
}

export const invalid = (message) => failure('ERR_INVALID_ARG', message);
/** What was read is not what it should be, here or in a registry. */
export const damaged = (message, cause) => failure('ERR_ARTIFACT', message, cause);
