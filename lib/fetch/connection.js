// Connections to servers: to checked addresses only.
const { connect, isIP } = require('node:net');
const { lookup } = require('node:dns/promises');
const { isAllowed } = require('./addresses.js');
const { refusal } = require('./errors.js');

/** Most addresses of a name. */
const ADDRESSES_MAX = 64;

/**
 * A connected socket for a URL, encrypted if its scheme says so. The name is resolved once, all that it resolves to is checked, and
 * the connection is made to that: what the name resolves to a moment later changes nothing. Of the connection the address is
 * checked again. Whoever aborts the signal must destroy the socket if it is there already.
 */
exports.open = async (url, { addresses: ranges }, { resolve, ca }, signal) => {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const found = isIP(hostname) ? [hostname] : await unlessAborted(signal, resolved(hostname, resolve, signal));
  if (!found.every((address) => isAllowed(address, ranges))) throw notAllowed();
  const isSecure = url.protocol === 'https:';
  const socket = connect({
    host: hostname,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    lookup: (_, options, callback) => {
      const list = found.map((address) => ({ address, family: isIP(address) }));
      if (options.all) callback(null, list);
      else callback(null, list[0].address, list[0].family);
    },
    // The others are tried if the first cannot be reached.
    autoSelectFamily: true,
    noDelay: true,
  });
  try {
    await event(socket, 'connect', signal);
    if (!isAllowed(socket.remoteAddress ?? '', ranges)) throw notAllowed();
    return isSecure ? await encrypted(socket, hostname, ca, signal) : socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
};

function notAllowed() {
  return refusal('address', 'the server has an address that the policy does not allow');
}

async function resolved(hostname, resolve, signal) {
  const found = resolve ? await resolve(hostname, { signal }) : await lookup(hostname, { all: true });
  const list = resolve ? found : found.map(({ address }) => address);
  if (!Array.isArray(list) || list.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
  if (list.length > ADDRESSES_MAX) throw notAllowed();
  return list.map(String);
}

async function encrypted(socket, hostname, ca, signal) {
  const tls = require('node:tls').connect({
    socket,
    host: hostname,
    servername: isIP(hostname) ? '' : hostname,
    ALPNProtocols: ['http/1.1'],
    ca,
    // Whatever the environment says.
    rejectUnauthorized: true,
  });
  try {
    await event(tls, 'secureConnect', signal);
    return tls;
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

/** Waits for an event of a socket. */
function event(socket, name, signal) {
  return new Promise((resolve, reject) => {
    const settle = (settled) => (value) => {
      signal.removeEventListener('abort', aborted);
      socket.removeListener(name, succeeded);
      socket.removeListener('close', closed);
      settled(value);
    };
    const succeeded = settle(resolve);
    const failed = settle(reject);
    const aborted = () => failed(signal.reason);
    const closed = () => failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    socket.once(name, succeeded);
    // It stays: nothing that comes later may be without a listener.
    socket.on('error', failed);
    socket.once('close', closed);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}

function unlessAborted(signal, promise) {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    const done = () => signal.removeEventListener('abort', aborted);
    promise.then(resolve, reject).finally(done);
  });
}

exports.unlessAborted = unlessAborted;
