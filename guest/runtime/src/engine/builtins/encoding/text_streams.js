// TextEncoderStream and TextDecoderStream, as the Encoding Standard has them. Evaluated when one is first used.

import { bytesOf, utf8Of } from 'hyperlight:bytes';
import { Decoding } from 'hyperlight:encoding';
import { interfaces } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { platformObjects } from 'hyperlight:platform';

const { TransformStream } = lazy('streams');
const { charCodeAt, slice } = String.prototype;
const EMPTY = new Uint8Array();

/** The two ends of a stream that transforms. */
function endsOf(transformer) {
  const { readable, writable } = new TransformStream(transformer);
  return { readable, writable };
}

function isLead(unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}

export class TextEncoderStream {
  #ends;

  static {
    platformObjects((value) => #ends in value);
  }

  constructor() {
    // The first half of a character whose other half is in the next chunk.
    let pending = '';
    const enqueue = (controller, text) => {
      if (text !== '') controller.enqueue(utf8Of(text));
    };
    this.#ends = endsOf({
      transform(chunk, controller) {
        const text = `${pending}${chunk}`;
        const end = isLead(charCodeAt.call(text, text.length - 1)) ? text.length - 1 : text.length;
        pending = slice.call(text, end);
        enqueue(controller, slice.call(text, 0, end));
      },
      flush(controller) {
        enqueue(controller, pending);
      },
    });
  }

  get encoding() {
    this.#ends;
    return 'utf-8';
  }

  get readable() {
    return this.#ends.readable;
  }

  get writable() {
    return this.#ends.writable;
  }
}

export class TextDecoderStream {
  #decoding;
  #ends;

  static {
    platformObjects((value) => #ends in value);
  }

  constructor(label = 'utf-8', options = undefined) {
    const decoding = new Decoding(label, options);
    const enqueue = (controller, text) => {
      if (text !== '') controller.enqueue(text);
    };
    this.#decoding = decoding;
    this.#ends = endsOf({
      transform(chunk, controller) {
        enqueue(controller, decoding.decode(bytesOf(chunk), true));
      },
      flush(controller) {
        enqueue(controller, decoding.decode(EMPTY, false));
      },
    });
  }

  get encoding() {
    return this.#decoding.encoding;
  }

  get fatal() {
    return this.#decoding.fatal;
  }

  get ignoreBOM() {
    return this.#decoding.ignoreBom;
  }

  get readable() {
    return this.#ends.readable;
  }

  get writable() {
    return this.#ends.writable;
  }
}

interfaces(TextEncoderStream, TextDecoderStream);
