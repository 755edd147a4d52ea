// CompressionStream and DecompressionStream, as the Compression Standard has them. Evaluated when one is first used.

import { bytesOf, isBufferSource } from 'hyperlight:bytes';
import { interfaces, requireArguments } from 'hyperlight:interfaces';
import { lazy } from 'hyperlight:lazy';
import { codecStep, compressor, decompressor } from 'hyperlight:native';
import { platformObjects } from 'hyperlight:platform';

const { TransformStream } = lazy('streams');
const FORMATS = ['deflate', 'deflate-raw', 'gzip'];
const EMPTY = new Uint8Array();

/** The two ends of a stream through a codec, which `make` makes for a format. */
function endsOf(format, make) {
  const text = `${format}`;
  if (!FORMATS.includes(text)) throw new TypeError(`the format "${text}" is none of ${FORMATS.join(', ')}`);
  const codec = make(text);
  const run = (bytes, isLast, controller) => {
    let offset = 0;
    let hasMore = true;
    while (hasMore) {
      const step = codecStep(codec, bytes, offset, isLast);
      if (!step) throw new TypeError('the compressed data is not valid');
      if (step[0].length > 0) controller.enqueue(step[0]);
      offset += step[1];
      hasMore = step[2];
    }
  };
  const { readable, writable } = new TransformStream({
    transform(chunk, controller) {
      if (!isBufferSource(chunk)) throw new TypeError('a chunk is neither a buffer nor a view of one');
      run(bytesOf(chunk), false, controller);
    },
    flush(controller) {
      run(EMPTY, true, controller);
    },
  });
  return { readable, writable };
}

export class CompressionStream {
  #ends;

  static {
    platformObjects((value) => #ends in value);
  }

  constructor(format) {
    requireArguments(arguments, 1);
    this.#ends = endsOf(format, compressor);
  }

  get readable() {
    return this.#ends.readable;
  }

  get writable() {
    return this.#ends.writable;
  }
}

export class DecompressionStream {
  #ends;

  static {
    platformObjects((value) => #ends in value);
  }

  constructor(format) {
    requireArguments(arguments, 1);
    this.#ends = endsOf(format, decompressor);
  }

  get readable() {
    return this.#ends.readable;
  }

  get writable() {
    return this.#ends.writable;
  }
}

interfaces(CompressionStream, DecompressionStream);
