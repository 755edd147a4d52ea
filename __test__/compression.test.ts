// CompressionStream and DecompressionStream. What one side compresses, the other must be able to expand: Node.js by zlib.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import type { LoadedJSSandbox } from '@hyperlight/js-host-api';
import { load } from './sandbox';

const FORMATS = {
  gzip: { pack: zlib.gzipSync, unpack: zlib.gunzipSync },
  deflate: { pack: zlib.deflateSync, unpack: zlib.inflateSync },
  'deflate-raw': { pack: zlib.deflateRawSync, unpack: zlib.inflateRawSync },
};
const SAMPLES: Record<string, Buffer> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('a'),
  text: Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(5_000)),
  zeros: Buffer.alloc(1_000_000),
  noise: Buffer.from(Array.from({ length: 200_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255)),
};

/** A sandbox that puts chunks of bytes through a stream: all that comes out, or the name of the error. */
function start(): Promise<LoadedJSSandbox> {
  return load({
    f: `export default async function handler({ name, format, chunks }) {
      const stream = new globalThis[name](format);
      const source = new ReadableStream({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close(); } });
      try {
        const all = [];
        for await (const chunk of source.pipeThrough(stream)) all.push(chunk);
        return new Uint8Array(await new Blob(all).arrayBuffer());
      } catch (e) {
        return e.constructor.name;
      }
    }`,
  });
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

for (const [format, { pack, unpack }] of Object.entries(FORMATS)) {
  test(`${format}: each side expands what the other compresses`, async () => {
    const sandbox = await start();
    for (const [name, sample] of Object.entries(SAMPLES)) {
      const event = { name: 'CompressionStream', format, chunks: pieces(sample, 70_000) };
      const packed = (await sandbox.callHandler('f', event)) as Uint8Array;
      assert.ok(unpack(packed).equals(sample), `compressed: ${name}`);
      if (name === 'text' || name === 'zeros') assert.ok(packed.length < sample.length / 20, name);
      for (const size of name === 'one byte' ? [1] : [1_000, 1 << 20]) {
        const chunks = pieces(pack(sample), size);
        const result = await sandbox.callHandler('f', { name: 'DecompressionStream', format, chunks });
        assert.ok(Buffer.from(result as Uint8Array).equals(sample), `expanded: ${name}`);
      }
    }
  });

  test(`${format}: what is cut off, or followed by more, or changed, is refused`, async () => {
    const sandbox = await start();
    const whole = pack(Buffer.from('some text, and some more of it'));
    const changed = Buffer.from(whole);
    const place = changed.length - (format === 'gzip' ? 6 : 1);
    changed.writeUInt8(changed.readUInt8(place) ^ 255, place);
    const wrong: Buffer[] = [
      Buffer.alloc(0),
      whole.subarray(0, 1),
      whole.subarray(0, -1),
      Buffer.concat([whole, Buffer.from([0])]),
      ...(format === 'deflate-raw' ? [] : [changed, Buffer.concat([Buffer.from([255]), whole])]),
    ];
    for (const bytes of wrong) {
      for (const size of [1, 1_000]) {
        const event = { name: 'DecompressionStream', format, chunks: pieces(bytes, size) };
        assert.equal(await sandbox.callHandler('f', event), 'TypeError', bytes.toString('hex'));
      }
    }
  });
}

test('a header of gzip may have all there is', async () => {
  const sandbox = await start();
  const plain = zlib.gzipSync('text');
  const head = Buffer.from(plain.subarray(0, 10));
  const rest = plain.subarray(10);
  const expand = async (bytes: Buffer): Promise<string> => {
    const event = { name: 'DecompressionStream', format: 'gzip', chunks: pieces(bytes, 1) };
    const result = await sandbox.callHandler('f', event);
    return typeof result === 'string' ? result : Buffer.from(result as Uint8Array).toString();
  };
  // The sum of the header is that of zlib.crc32, which old versions have not got: two bytes of the trailer of its own gzip.
  const sumOf = (bytes: Buffer): Buffer => zlib.gzipSync(bytes).subarray(-8, -6);
  const flagged = (flags: number, ...parts: (string | number[])[]): Buffer => {
    head[3] = flags;
    return Buffer.concat([head, ...parts.map((part) => Buffer.from(part as string))]);
  };
  assert.equal(await expand(Buffer.concat([flagged(4, [3, 0, 1, 2, 3]), rest])), 'text');
  assert.equal(await expand(Buffer.concat([flagged(4, [0, 0]), rest])), 'text');
  assert.equal(await expand(Buffer.concat([flagged(8 | 16, 'name\0', 'comment\0'), rest])), 'text');
  const checked = flagged(2 | 4 | 8, [1, 0, 9], 'n\0');
  assert.equal(await expand(Buffer.concat([checked, sumOf(checked), rest])), 'text');
  assert.equal(await expand(Buffer.concat([checked, Buffer.from([0, 0]), rest])), 'TypeError');
  assert.equal(await expand(Buffer.concat([flagged(0x20), rest])), 'TypeError');
});

test('what expands to more than the heap ends as an error of the guest, which goes on', async () => {
  const sandbox = await start();
  const bomb = zlib.gzipSync(Buffer.alloc(192 << 20));
  const event = { name: 'DecompressionStream', format: 'gzip', chunks: [bomb] };
  assert.match(String(await sandbox.callHandler('f', event)), /Error$/);
  const small = { name: 'DecompressionStream', format: 'gzip', chunks: [zlib.gzipSync('x')] };
  assert.deepEqual(await sandbox.callHandler('f', small), new Uint8Array([120]));
});

test('what is no format, or no bytes, is refused', async () => {
  const sandbox = await start();
  const event = { name: 'CompressionStream', format: 'gzip', chunks: ['text'] };
  assert.equal(await sandbox.callHandler('f', event), 'TypeError');
  const formats = await load({
    f: `function handler() {
      return ['GZIP', 'br', '', undefined].map((format) => { try { new CompressionStream(format); } catch (e) { return e.name; } });
    }`,
  });
  assert.deepEqual(await formats.callHandler('f', {}), Array(4).fill('TypeError'));
});
