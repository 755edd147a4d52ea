// ReadableStream, WritableStream and TransformStream, as the Streams Standard has them, and the streams of text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';
import { cases } from './web';

cases({
  'a stream gives its chunks in order, and no more than are asked for': {
    code: `
      const pulled = [];
      let next = 0;
      const stream = new ReadableStream({ pull(c) { pulled.push(next); c.enqueue(next++); } }, { highWaterMark: 2 });
      await Promise.resolve();
      const reader = stream.getReader();
      const first = await reader.read();
      return [first, pulled.length <= 4, stream.locked];`,
    result: [{ value: 0, done: false }, true, true],
  },
  'an error of the source rejects what is read, and all that follows': {
    code: `
      const stream = new ReadableStream({ pull() { throw new RangeError('no'); } });
      const reader = stream.getReader();
      return [await rejected(reader.read()), await rejected(reader.read()), await rejected(reader.closed)];`,
    result: ['RangeError', 'RangeError', 'RangeError'],
  },
  'both branches of a tee have all chunks': {
    code: `
      const [a, b] = streamOf(1, 2, 3).tee();
      return [await collected(a), await collected(b)];`,
    result: [
      [1, 2, 3],
      [1, 2, 3],
    ],
  },
  'a byte stream fills the view that a reader brings': {
    code: `
      const stream = new ReadableStream({
        type: 'bytes',
        pull(c) { c.byobRequest.view[0] = 7; c.byobRequest.respond(1); },
      });
      const reader = stream.getReader({ mode: 'byob' });
      const { value, done } = await reader.read(new Uint8Array(4));
      return [[...value], value.buffer.byteLength, done];`,
    result: [[7], 4, false],
  },
  'a pipe transforms, and closes what it leads to': {
    code: `
      const written = [];
      let isClosed = false;
      const double = new TransformStream({ transform(chunk, c) { c.enqueue(chunk * 2); } });
      const sink = new WritableStream({ write(chunk) { written.push(chunk); }, close() { isClosed = true; } });
      await streamOf(1, 2).pipeThrough(double).pipeTo(sink);
      return [written, isClosed];`,
    result: [[2, 4], true],
  },
  'a signal ends a pipe': {
    code: `
      const controller = new AbortController();
      let reason;
      const endless = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(r) { reason = r.name; } });
      const pipe = endless.pipeTo(new WritableStream(), { signal: controller.signal });
      controller.abort();
      return [await rejected(pipe), reason];`,
    result: ['AbortError', 'AbortError'],
  },
  'a writer waits while the queue is full': {
    code: `
      let release;
      const sink = new WritableStream({ write: () => new Promise((resolve) => { release = resolve; }) });
      const writer = sink.getWriter();
      await writer.ready;
      writer.write(1);
      const full = writer.desiredSize;
      await new Promise((resolve) => setTimeout(resolve, 1));
      release();
      await writer.ready;
      return [full, writer.desiredSize];`,
    result: [0, 1],
  },
  'sizes of chunks are counted by the strategy': {
    code: `
      const strategy = new ByteLengthQueuingStrategy({ highWaterMark: 10 });
      let size;
      new ReadableStream({ start(c) { c.enqueue(new Uint8Array(4)); size = c.desiredSize; } }, strategy);
      return [strategy.highWaterMark, size, new CountQueuingStrategy({ highWaterMark: 3 }).size()];`,
    result: [10, 6, 1],
  },
  'text is decoded across chunks': {
    code: `
      const stream = streamOf(new Uint8Array([0xef, 0xbb, 0xbf, 0xe2, 0x82]), new Uint8Array([0xac, 0x21]));
      return (await collected(stream.pipeThrough(new TextDecoderStream()))).join('');`,
    result: '€!',
  },
  'text that ends within a character is an error if errors are fatal, and else a replacement': {
    code: `
      const cut = () => streamOf(new Uint8Array([0x61, 0xe2, 0x82]));
      const lax = (await collected(cut().pipeThrough(new TextDecoderStream()))).join('');
      const strict = cut().pipeThrough(new TextDecoderStream('utf-8', { fatal: true }));
      return [lax, await rejected(collected(strict))];`,
    result: ['a\ufffd', 'TypeError'],
  },
  'halves of a character in two chunks are encoded as one': {
    code: `return bytesOf(streamOf('\\ud83d', '\\ude00', '\\ud83d').pipeThrough(new TextEncoderStream()));`,
    result: [0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd],
  },
});

test('the classes are there for the first who asks, and are the same for all', async () => {
  const sandbox = await load({
    f: `function handler() {
      const name = 'ReadableStream';
      const isOwn = Object.hasOwn(globalThis, name);
      const { ReadableStream: first } = globalThis;
      const { value, enumerable, writable } = Object.getOwnPropertyDescriptor(globalThis, name);
      return [isOwn, typeof first, value === first, enumerable, writable, Object.keys(globalThis).includes(name)];
    }`,
  });
  assert.deepEqual(await sandbox.callHandler('f', {}), [true, 'function', true, false, true, false]);
});

test('a class that there was no memory for is there once there is', async () => {
  const sandbox = await load({
    f: `function handler(fill) {
      const held = [];
      if (fill) try { for (;;) held.push(new Array(100).fill(0)); } catch {}
      try { return typeof ReadableStream; } catch (e) { return e.constructor.name; }
    }`,
  });
  assert.notEqual(await sandbox.callHandler('f', true), 'function');
  assert.equal(await sandbox.callHandler('f', false), 'function');
});
