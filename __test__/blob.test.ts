// Blob and File, as the File API has them.
import { cases } from './web';

cases({
  'a blob holds text and bytes one after the other': {
    code: `
      const blob = new Blob(['a€', new Uint8Array([1, 2]), new Uint16Array([3]).buffer, new Blob(['z'])], { type: 'Text/Plain' });
      return [blob.size, blob.type, [...new Uint8Array(await blob.arrayBuffer())], await new Blob(['a', 'b']).text()];`,
    result: [9, 'text/plain', [0x61, 0xe2, 0x82, 0xac, 1, 2, 3, 0, 0x7a], 'ab'],
  },
  'a part of a blob is a blob, counted from either end': {
    code: `
      const blob = new Blob(['0123456789']);
      const parts = [blob.slice(2, 4), blob.slice(-3), blob.slice(-3, -1), blob.slice(8, 100), blob.slice(5, 2)];
      return [await Promise.all(parts.map((part) => part.text())), blob.slice(0, 1, 'a/b').type, blob.slice(0, 1, '\\u00e9').type];`,
    result: [['23', '789', '78', '89', ''], 'a/b', ''],
  },
  'what a blob gives is a copy': {
    code: `
      const source = new Uint8Array([1]);
      const blob = new Blob([source]);
      source[0] = 2;
      const first = new Uint8Array(await blob.arrayBuffer());
      first[0] = 3;
      return [...new Uint8Array(await blob.arrayBuffer())];`,
    result: [1],
  },
  'a large blob comes in several chunks': {
    code: `
      const chunks = await collected(new Blob([new Uint8Array(200000).fill(5)]).stream());
      return [chunks.length > 1, chunks.reduce((sum, chunk) => sum + chunk.length, 0), chunks.every((c) => c.every((b) => b === 5))];`,
    result: [true, 200000, true],
    notInNode: 'its chunks have another size',
  },
  'line ends stay, or become those of the system': {
    code: `
      const text = (endings) => new Blob(['a\\r\\nb\\rc\\nd'], { endings }).text();
      return [await text('transparent'), await text('native'), thrown(() => new Blob([], { endings: 'x' }))];`,
    result: ['a\r\nb\rc\nd', 'a\nb\nc\nd', 'TypeError'],
    notInNode: 'it leaves a carriage return alone',
  },
  'a file has a name and a time': {
    code: `
      const file = new File(['x'], 'a.txt', { type: 'text/plain', lastModified: 5.9 });
      return [file.name, file.lastModified, file.type, file instanceof Blob, String(file), new File([], 'b').lastModified > 1e12];`,
    result: ['a.txt', 5, 'text/plain', true, '[object File]', true],
    notInNode: 'it does not make a whole number of the time',
  },
  'both can be cloned': {
    code: `
      const file = structuredClone(new File(['x'], 'a.txt', { lastModified: 5 }));
      return [file.name, file.lastModified, await file.text(), await structuredClone({ b: new Blob(['y']) }).b.text()];`,
    result: ['a.txt', 5, 'x', 'y'],
    notInNode: 'Node.js 20 makes an empty object of a File',
  },
  'what is no sequence makes no blob': {
    code: `return ['text', 1, {}, null].map((parts) => thrown(() => new Blob(parts)));`,
    result: ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
  },
});
