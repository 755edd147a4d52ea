// The distribution protocol of OCI registries, as much of it as pushes and pulls need. All that a registry sends is
// checked: it is somebody else's, and whoever is on the way to one over plain HTTP can send anything in its place.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { damaged, failure } from './failure.js';
import { Patience } from './patience.js';
import { isDigest, isLoopback } from './reference.js';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
/** Bytes of the largest manifest, as registries have it. */
export const MANIFEST_SIZE_MAX = 4 * 2 ** 20;
const TOKEN_SIZE_MAX = 2 ** 20;
/** Characters of a text of the registry's that are shown. */
const TEXT_MAX = 300;
const REDIRECTS_MAX = 5;
const PATIENCE_MS = 60_000;
let parts = 0;

/** One repository of a registry. */
export class Repository {
  #host;
  #name;
  #origin;
  #credentials;
  #patienceMs;
  #signal;
  /** What the registry is told of who asks. */
  #authorization;

  /**
   * `credentials` is a function that gives those for a host, if there are some. A registry that is not on this machine is
   * spoken to over TLS, unless `plainHttp` is set.
   */
  constructor({ scheme, host, name }, { credentials, plainHttp, patienceMs = PATIENCE_MS, signal }) {
    this.#host = host;
    this.#name = name;
    this.#credentials = credentials;
    this.#patienceMs = patienceMs;
    this.#signal = signal;
    const isPlain = scheme === undefined ? (plainHttp ?? isLoopback(host)) : scheme === 'http';
    if (isPlain && !plainHttp && !isLoopback(host)) throw this.#isPlain();
    this.#origin = `${isPlain ? 'http' : 'https'}://${host}`;
  }

  /** The digest that a tag has at present, or `undefined` if there is none. */
  async resolve(tag) {
    const bytes = await this.manifest(tag);
    return bytes && digestOf(bytes);
  }

  /** The bytes of the manifest with a tag or digest, or `undefined` if there is none. */
  async manifest(reference) {
    const accept = `${MANIFEST_TYPE}, application/vnd.oci.image.index.v1+json`;
    const { response, patience } = await this.#request('GET', `manifests/${reference}`, {
      headers: { accept },
      missing: true,
    });
    if (response.status === 404) return this.#leave(response, patience, undefined);
    const bytes = await this.#bytesOf(response, patience, MANIFEST_SIZE_MAX);
    const digest = isDigest(reference) ? reference : response.headers.get('docker-content-digest');
    if (digest !== null && digest !== digestOf(bytes)) {
      throw damaged(`the registry ${this.#host} sent another manifest than that of ${digest}`);
    }
    return bytes;
  }

  /** Moves a tag to a manifest whose blobs are there. Others see it as it was before, or as it is then. */
  async putManifest(tag, bytes) {
    const headers = { 'content-type': MANIFEST_TYPE };
    const { response, patience } = await this.#request('PUT', `manifests/${tag}`, { headers, body: () => bytes });
    await this.#leave(response, patience);
  }

  async hasBlob(digest) {
    const { response, patience } = await this.#request('HEAD', `blobs/${digest}`, { missing: true });
    return this.#leave(response, patience, response.status !== 404);
  }

  /** Uploads a file. The registry takes it only if it has the digest. */
  async putBlob({ digest, size }, file) {
    const begun = await this.#request('POST', 'blobs/uploads/', { body: () => '' });
    await this.#leave(begun.response, begun.patience);
    const location = begun.response.headers.get('location') ?? '';
    if (!URL.canParse(location, begun.response.url)) throw this.#problem('did not say where a blob goes');
    const place = new URL(location, begun.response.url);
    place.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    const body = (patience) => {
      const stream = createReadStream(file);
      stream.on('data', () => patience.renew());
      return Readable.toWeb(stream.pause());
    };
    const { response, patience } = await this.#request('PUT', place, { headers, body });
    await this.#leave(response, patience);
  }

  /** Downloads a blob to a file, which is there when it is whole and has the digest, and not before. */
  async getBlob({ digest, size }, file) {
    const { response, patience } = await this.#request('GET', `blobs/${digest}`);
    const part = `${file}.${process.pid}-${parts++}.part`;
    const hash = createHash('sha256');
    let received = 0;
    const wrong = (text) => damaged(`the registry ${this.#host} sent ${text} of ${digest}`);
    const check = new Transform({
      transform: (chunk, _, done) => {
        patience.renew();
        received += chunk.length;
        hash.update(chunk);
        done(received > size ? wrong(`more than the ${size} bytes`) : null, chunk);
      },
    });
    try {
      await pipeline(Readable.fromWeb(response.body), check, createWriteStream(part, { mode: 0o600 }));
      if (received < size) throw wrong(`${received} of the ${size} bytes`);
      if (`sha256:${hash.digest('hex')}` !== digest) throw wrong('other bytes than those');
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      this.#signal?.throwIfAborted();
      const isOurs = error.code === 'ERR_ARTIFACT' || error.syscall !== undefined;
      throw isOurs ? error : this.#problem(`did not send all of ${digest}: ${reasonOf(error)}`, error);
    } finally {
      patience.end();
    }
  }

  /** Makes a request, again if the registry wants to know who makes it. The body of the response is still to be read. */
  async #request(method, place, { headers = {}, body, missing = false } = {}) {
    const url = place instanceof URL ? place : new URL(`/v2/${this.#name}/${place}`, this.#origin);
    const known = this.#authorization;
    let { response, patience } = await this.#follow(method, url, headers, body);
    if (response.status === 401 && response.ofRegistry) {
      await this.#leave(response, patience);
      // Another request may have found out meanwhile. What it knew before may be too old.
      if (this.#authorization === known) this.#authorization = await this.#authorize(response, method);
      ({ response, patience } = await this.#follow(method, url, headers, body));
    }
    if (response.ok || (missing && response.status === 404)) return { response, patience };
    const text = (await this.#bytesOf(response, patience, 2 ** 16).catch(() => '')).toString();
    const what = `${method} ${url.pathname}: ${response.status} ${explain(text) || response.statusText}`;
    const isUnknown = response.status === 401 || response.status === 403;
    throw isUnknown
      ? failure('ERR_REGISTRY_AUTH', `the registry ${this.#host} does not allow it to these credentials, ${what}`)
      : this.#problem(`refuses ${what}`);
  }

  /** Sends a request and those that its answers refer to. */
  async #follow(method, url, headers, body) {
    for (let redirects = 0; ; redirects++) {
      // What goes to another place, which the registry has named, goes without what only the registry may know.
      const ofRegistry = url.origin === this.#origin;
      if (!ofRegistry && url.protocol !== 'https:' && this.#origin.startsWith('https:')) {
        throw this.#problem(`refers to ${url.origin}, which is plain HTTP`);
      }
      const patience = new Patience(this.#patienceMs, this.#signal);
      const response = await this.#fetch(url, patience, {
        method,
        headers: { ...headers, ...(ofRegistry && this.#authorization && { authorization: this.#authorization }) },
        ...(body && { body: body(patience), duplex: 'half' }),
      });
      const location = response.headers.get('location');
      const isElsewhere = response.status >= 301 && response.status <= 308 && location !== null;
      if (!isElsewhere) return { response: Object.assign(response, { ofRegistry }), patience };
      await this.#leave(response, patience);
      if (redirects === REDIRECTS_MAX || !URL.canParse(location, url)) throw this.#problem('refers to nowhere');
      url = new URL(location, url);
    }
  }

  async #fetch(url, patience, options) {
    try {
      return await fetch(url, { ...options, redirect: 'manual', signal: patience.signal });
    } catch (error) {
      patience.end();
      this.#signal?.throwIfAborted();
      if (/^(EPROTO|ERR_SSL_)/.test(error.cause?.code ?? '')) throw this.#isPlain(error);
      throw this.#problem(`cannot be reached: ${reasonOf(error)}`, error);
    }
  }

  /** What the registry wants to be told, by its challenge. */
  async #authorize({ headers }, method) {
    const challenge = headers.get('www-authenticate') ?? '';
    const known = (await this.#credentials?.(this.#host)) ?? {};
    const basic =
      known.username === undefined
        ? undefined
        : `Basic ${Buffer.from(`${known.username}:${known.password}`).toString('base64')}`;
    if (/^basic /i.test(challenge)) {
      if (basic !== undefined) return basic;
      throw failure('ERR_REGISTRY_AUTH', `the registry ${this.#host} wants credentials: docker login sets them`);
    }
    const all = [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name.toLowerCase(), value]);
    const { realm = '', service, scope } = Object.fromEntries(all);
    if (!/^bearer /i.test(challenge) || !URL.canParse(realm)) {
      throw this.#problem('wants to be told something that it does not name');
    }
    const url = new URL(realm);
    if (url.protocol !== 'https:' && this.#origin.startsWith('https:')) {
      throw this.#problem(`refers to ${url.origin}, which is plain HTTP`);
    }
    const actions = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const query = { scope: scope ?? `repository:${this.#name}:${actions}`, ...(service && { service }) };
    return `Bearer ${await this.#tokenOf(url, query, known.token, basic)}`;
  }

  /** Asks for a token: with another one, with a password, or as somebody whom nobody knows. */
  async #tokenOf(url, query, refreshToken, basic) {
    const patience = new Patience(this.#patienceMs, this.#signal);
    let options = { headers: basic ? { authorization: basic } : {} };
    if (refreshToken === undefined)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    else {
      const form = { ...query, grant_type: 'refresh_token', client_id: 'hyperlight-js', refresh_token: refreshToken };
      options = { method: 'POST', body: new URLSearchParams(form) };
    }
    const response = await this.#fetch(url, patience, options);
    const text = (await this.#bytesOf(response, patience, TOKEN_SIZE_MAX)).toString();
    const { token, access_token: other } = parsed(text) ?? {};
    if (!response.ok || typeof (token ?? other) !== 'string') {
      throw failure('ERR_REGISTRY_AUTH', `${url.host} gives no token for ${this.#host}: ${response.status}`);
    }
    return token ?? other;
  }

  async #bytesOf(response, patience, most) {
    const chunks = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        patience.renew();
        size += chunk.length;
        if (size > most) throw damaged(`the registry ${this.#host} sent more than ${most} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error.code === 'ERR_ARTIFACT' ? error : this.#problem(`did not end its answer: ${reasonOf(error)}`, error);
    } finally {
      patience.end();
    }
    return Buffer.concat(chunks);
  }

  /** Lets go of an answer whose body nobody needs, so that its connection can be used again. */
  async #leave(response, patience, value) {
    patience.end();
    await response.body?.cancel().catch(() => {});
    return value;
  }

  #problem(text, cause) {
    return failure('ERR_REGISTRY', `the registry ${this.#host} ${text}`, cause);
  }

  #isPlain(cause) {
    const text = `the registry ${this.#host} speaks plain HTTP, so that others can read and change what it sends`;
    return failure('ERR_PLAIN_HTTP', `${text}; the option plainHttp (--plain-http) allows it`, cause);
  }
}

export function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function reasonOf(error) {
  const { cause } = error;
  // Of several addresses each has its reason.
  return cause?.errors?.[0]?.message || cause?.message || cause?.code || error.message;
}

/** What a registry says in its answer. */
function explain(text) {
  const [first] = parsed(text)?.errors ?? [];
  return [first?.code, first?.message]
    .filter((part) => typeof part === 'string')
    .join(', ')
    .slice(0, TEXT_MAX);
}

function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}
