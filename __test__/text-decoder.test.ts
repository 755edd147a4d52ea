// TextDecoder for all encodings of the Encoding Standard, and their labels.
import { cases } from './web';

const OLD = 'Node.js knows fewer encodings, or decodes them otherwise';

cases({
  'encodings of a single byte': {
    code: `
      const byte = (label, ...bytes) => new TextDecoder(label).decode(new Uint8Array(bytes));
      return [byte('iso-8859-2', 0xb1), byte('koi8-r', 0xc1), byte('windows-1251', 0xff), byte('macintosh', 0x8a), byte('ibm866', 0x80), byte('iso-8859-8-i', 0xe0)];`,
    result: ['ą', 'а', 'я', 'ä', 'А', 'א'],
  },
  'encodings of several bytes': {
    code: `
      const text = (label, ...bytes) => new TextDecoder(label).decode(new Uint8Array(bytes));
      return [text('shift_jis', 0x93, 0xfa, 0x96, 0x7b), text('euc-jp', 0xc6, 0xfc), text('gbk', 0xd6, 0xd0), text('gb18030', 0x81, 0x30, 0x81, 0x30),
        text('big5', 0xa4, 0xa4), text('euc-kr', 0xc7, 0xd1), text('iso-2022-jp', 0x1b, 0x24, 0x42, 0x46, 0x7c, 0x1b, 0x28, 0x42, 0x61)];`,
    result: ['日本', '日', '中', '\u0080', '中', '한', '日a'],
  },
  'characters that come in pieces, and states that last': {
    code: `
      const pieces = (label, ...all) => {
        const decoder = new TextDecoder(label);
        return all.map((bytes) => decoder.decode(new Uint8Array(bytes), { stream: true })).concat(decoder.decode());
      };
      return [pieces('shift_jis', [0x93], [0xfa, 0x96]), pieces('iso-2022-jp', [0x1b, 0x24], [0x42, 0x46], [0x7c], [0x1b, 0x28, 0x42, 0x61])];`,
    result: [
      ['', '日', '\ufffd'],
      ['', '', '日', 'a', ''],
    ],
  },
  'a decoder starts again after the last piece': {
    code: `
      const decoder = new TextDecoder('iso-2022-jp');
      const switched = decoder.decode(new Uint8Array([0x1b, 0x24, 0x42, 0x46, 0x7c]));
      return [switched, decoder.decode(new Uint8Array([0x46, 0x7c]))];`,
    result: ['日', 'F|'],
  },
  'what stands for nothing is replaced, or fatal': {
    code: `
      const bytes = new Uint8Array([0x81, 0x20, 0x41]);
      const fatal = new TextDecoder('gbk', { fatal: true });
      return [new TextDecoder('gbk').decode(bytes), thrown(() => fatal.decode(bytes)), fatal.decode(new Uint8Array([0xd6, 0xd0]))];`,
    result: ['\ufffd A', 'TypeError', '中'],
  },
  labels: {
    code: `
      return ['latin1', ' UTF8\\n', 'x-sjis', 'chinese', 'cp866', 'logical', 'x-user-defined', 'unicode', 'csKOI8R']
        .map((label) => new TextDecoder(label).encoding);`,
    result: [
      'windows-1252',
      'utf-8',
      'shift_jis',
      'gbk',
      'ibm866',
      'iso-8859-8-i',
      'x-user-defined',
      'utf-16le',
      'koi8-r',
    ],
    notInNode: OLD,
  },
  'what is no label, or one of those that are not decoded': {
    code: `return ['', 'utf-32', 'replacement', 'iso-2022-kr', 'hz-gb-2312', 'utf-8\\0'].map((label) => thrown(() => new TextDecoder(label)));`,
    result: Array(6).fill('RangeError'),
  },
  'bytes of a user': {
    code: `return [...new TextDecoder('x-user-defined').decode(new Uint8Array([0x41, 0x80, 0xff]))].map((c) => c.codePointAt(0));`,
    result: [0x41, 0xf780, 0xf7ff],
    notInNode: OLD,
  },
});
