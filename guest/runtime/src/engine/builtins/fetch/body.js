// The body of a Request or a Response, as the Fetch Standard has it. What is in memory, or comes from the host, becomes a stream only
// if one is asked for.

import { bytesOf, isBufferSource, utf8Of } from 'hyperlight:bytes';
import { structuredClone } from 'hyperlight:clone';
import { TextDecoder } from 'hyperlight:encoding';
import { ifLoaded, lazy } from 'hyperlight:lazy';
import { isSearchParams } from 'hyperlight:url';

const { parse } = JSON;
const { toString: searchText } = URLSearchParams.prototype;
const { toWellFormed } = String.prototype;
const blobs = lazy('blob');
const forms = lazy('form_data');
const { mimeTypeOf, textOfMimeType } = lazy('mime_type');
const EMPTY = new Uint8Array();

/** A body: bytes, or a stream, or a source of pieces, or what a stream has been made of. */
export class Body {
  #bytes;
  #stream;
  #source;
  #isUsed = false;

  /** A source has `pull`, which gives a promise of the next piece, or of nothing at the end, and `cancel`. */
  constructor(bytes, stream = undefined, source = undefined) {
    this.#bytes = bytes;
    this.#stream = stream;
    this.#source = source;
  }

  get stream() {
    if (!this.#stream) {
      this.#stream = this.#source ? streamFrom(this.#source) : blobs.streamOf(this.#bytes);
      // As if it had been read: nobody else can read it.
      if (this.#isUsed) this.#stream.getReader().cancel();
      this.#bytes = this.#source = undefined;
    }
    return this.#stream;
  }

  /** The bytes, if they are in memory. */
  get bytes() {
    return this.#bytes;
  }

  get isUsed() {
    return this.#isUsed || this.#stream?._disturbed === true;
  }

  get isUnusable() {
    return this.isUsed || this.#stream?.locked === true;
  }

  /** Another body with the same content; this one stays what it is. */
  clone() {
    if (this.#bytes) return new Body(this.#bytes);
    const [own, other] = this.stream.tee();
    this.#stream = own;
    return new Body(undefined, cloning(other));
  }

  /** Another body with the same content, which this one loses. */
  moved() {
    this.#isUsed = true;
    if (this.#bytes) return new Body(this.#bytes);
    if (this.#source) return new Body(undefined, undefined, this.#source);
    const { TransformStream } = lazy('streams');
    return new Body(undefined, this.#stream.pipeThrough(new TransformStream()));
  }

  /** All bytes, which may be used by nobody else. */
  async consumed() {
    if (this.#bytes) {
      this.#isUsed = true;
      return this.#bytes;
    }
    const { next } = this.#source ? { next: this.#source.pull } : reading(this.#stream);
    if (this.#source) this.#isUsed = true;
    const chunks = [];
    let size = 0;
    for (;;) {
      const value = await next();
      if (value === undefined) break;
      chunks.push(value);
      size += value.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

/** What reads a stream: `next` gives a promise of the next piece, or of nothing at the end. */
export function reading(stream) {
  const reader = stream.getReader();
  const cancel = (reason) => {
    reader.cancel(reason).catch(() => {});
  };
  async function next() {
    const { done, value } = await reader.read();
    if (done) return undefined;
    if (value instanceof Uint8Array) return value;
    const error = new TypeError('a body is made of bytes');
    cancel(error);
    throw error;
  }
  return { next, cancel };
}

/** A stream of the pieces of a source, which are asked for one by one as they are read. */
function streamFrom(source) {
  const { ReadableStream } = lazy('streams');
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller) {
        const chunk = await source.pull();
        if (chunk) {
          controller.enqueue(chunk);
        } else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
      cancel: (reason) => source.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** A stream of clones of the chunks of another one. */
function cloning(stream) {
  const { ReadableStream } = lazy('streams');
  const reader = stream.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(structuredClone(value));
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** The body that a value stands for, and the type that it has by itself. */
export function extracted(value) {
  const streams = ifLoaded('streams');
  if (streams && value instanceof streams.ReadableStream) {
    if (value.locked || value._disturbed) throw new TypeError('the stream is in use');
    return { body: new Body(undefined, value), type: null, isStream: true };
  }
  if (blobs.isBlob(value)) return { body: new Body(blobs.contentOf(value)), type: value.type || null };
  if (isBufferSource(value)) return { body: new Body(bytesOf(value).slice()), type: null };
  if (forms.isFormData(value)) {
    const { bytes, boundary } = lazy('multipart').encoded(forms.entriesOf(value));
    return { body: new Body(bytes), type: `multipart/form-data; boundary=${boundary}` };
  }
  if (isSearchParams(value)) {
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { body: new Body(utf8Of(searchText.call(value))), type };
  }
  return { body: new Body(utf8Of(toWellFormed.call(`${value}`))), type: 'text/plain;charset=UTF-8' };
}

/** Gives a class the members of a body, by what tells the body of an object, if it has one, and its type. */
export function includeBody(Class, bodyOf, contentTypeOf) {
  async function consume(object) {
    const body = bodyOf(object);
    if (body?.isUnusable) throw new TypeError('the body has been used, or is in use');
    return body ? body.consumed() : EMPTY;
  }
  const decode = (bytes) => new TextDecoder().decode(bytes);
  const members = {
    get body() {
      return bodyOf(this)?.stream ?? null;
    },
    get bodyUsed() {
      return bodyOf(this)?.isUsed ?? false;
    },
    async arrayBuffer() {
      return (await consume(this)).slice().buffer;
    },
    async blob() {
      const bytes = await consume(this);
      const type = mimeTypeOf(contentTypeOf(this));
      return blobs.fromBytes(bytes, type ? textOfMimeType(type) : '');
    },
    async bytes() {
      return (await consume(this)).slice();
    },
    async formData() {
      const bytes = await consume(this);
      const type = mimeTypeOf(contentTypeOf(this));
      if (type?.essence === 'multipart/form-data') {
        const boundary = type.parameters.get('boundary');
        if (boundary === undefined) throw new TypeError('the type has no boundary');
        return forms.formOf(lazy('multipart').decoded(bytes, boundary));
      }
      if (type?.essence === 'application/x-www-form-urlencoded') {
        const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
        // The constructor of URLSearchParams takes a question mark away.
        return forms.formOf([...new URLSearchParams(`?${text}`)]);
      }
      throw new TypeError('the body is no form');
    },
    async json() {
      return parse(decode(await consume(this)));
    },
    async text() {
      return decode(await consume(this));
    },
  };
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
}
