// What a request fails with. Guests read these errors: they hold nothing of the host's, such as addresses or the texts of its errors.

/** Codes of failed connections that say nothing more than what has happened. */
const NETWORK = {
  EAI_AGAIN: 'the name of the server cannot be resolved now',
  ECONNREFUSED: 'the server has refused the connection',
  ECONNRESET: 'the server has closed the connection',
  EHOSTUNREACH: 'the server cannot be reached',
  ENETUNREACH: 'the server cannot be reached',
  ENOTFOUND: 'the name of the server cannot be resolved',
  EPIPE: 'the server has closed the connection',
  ETIMEDOUT: 'the server does not answer',
};
const TLS = /^(CERT_|DEPTH_ZERO_|EPROTO$|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_)/;

/** An error that a guest may read. */
class FetchError extends Error {}

/** The error of what the policy does not allow, by the name of the rule. */
exports.refusal = (rule, message) => Object.assign(new FetchError(message), { code: 'ERR_FETCH_REFUSED', rule });

/** The error of a request that is none. */
exports.invalid = (message) => Object.assign(new FetchError(message), { code: 'ERR_FETCH_INVALID' });

/** The error of a request that was given up: by the guest, or because its call has ended. */
exports.cancelled = () => Object.assign(new FetchError('the request has ended'), { code: 'ERR_FETCH_CANCELLED' });

/** The error of a connection that the server has closed. */
exports.closed = () => failure('ECONNRESET', NETWORK.ECONNRESET);

/** The error of a response that is none. */
exports.noResponse = () => failure('ERR_FETCH_RESPONSE', 'the response is not HTTP/1.1');

/** What the guest is told of an error: one of these as it is, and of any other its kind. */
exports.told = (error) => {
  if (error instanceof FetchError) return error;
  const code = typeof error?.code === 'string' ? error.code : '';
  if (Object.hasOwn(NETWORK, code)) return failure(code, NETWORK[code]);
  if (code === 'HPE_HEADER_OVERFLOW') return exports.refusal('headers', 'the headers of the response are too large');
  if (code.startsWith('HPE_')) return exports.noResponse();
  if (code.startsWith('Z_') || code.startsWith('ERR__ERROR_') || code.startsWith('ERR_BROTLI')) {
    return failure('ERR_FETCH_RESPONSE', 'the body of the response cannot be decompressed');
  }
  if (TLS.test(code)) return failure('ERR_FETCH_TLS', 'the server has no certificate that is trusted for its name');
  return failure('ERR_FETCH_NETWORK', 'the request has failed');
};

function failure(code, message) {
  return Object.assign(new FetchError(message), { code });
}
