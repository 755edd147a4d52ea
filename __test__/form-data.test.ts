// FormData, and its form in a body.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sandbox';
import { cases } from './web';

cases({
  'entries have text or files': {
    code: `
      const form = new FormData();
      form.append('a', 1);
      form.append('a', new Blob(['x'], { type: 't/u' }));
      form.append('b', new File(['y'], 'y.txt'), 'z.txt');
      const [text, file] = form.getAll('a');
      return [text, file.name, file.type, form.get('b').name, form.has('c'), [...form.keys()]];`,
    result: ['1', 'blob', 't/u', 'z.txt', false, ['a', 'a', 'b']],
  },
  'set replaces the first and removes the others': {
    code: `
      const form = new FormData();
      for (const [name, value] of [['a', '1'], ['b', '2'], ['a', '3']]) form.append(name, value);
      form.set('a', '4');
      form.delete('b');
      return [...form];`,
    result: [['a', '4']],
  },
  'only a blob has a name': {
    code: `return [thrown(() => new FormData().append('a', 'b', 'c')), thrown(() => new FormData().append('a'))];`,
    result: ['TypeError', 'TypeError'],
  },
  'a form goes through a body and back': {
    code: `
      const form = new FormData();
      form.append('te"xt\\r\\n', 'ä\\nb');
      form.append('file', new File([new Uint8Array([0, 255, 13, 10, 45, 45])], 'n"ame', { type: 'a/b' }));
      const back = await new Response(form).formData();
      const file = back.get('file');
      return [[...back.keys()], back.get('te"xt\\r\\n'), file.name, file.type, [...new Uint8Array(await file.arrayBuffer())]];`,
    result: [['te"xt\r\n', 'file'], 'ä\r\nb', 'n"ame', 'a/b', [0, 255, 13, 10, 45, 45]],
  },
  'a form is read from text': {
    code: `
      const response = new Response('?a=1&b=%C3%A4+x', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      return [...(await response.formData())];`,
    result: [
      ['?a', '1'],
      ['b', 'ä x'],
    ],
    notInNode: 'it takes the question mark away',
  },
});

test('a body that is no form is refused, whatever it is', async () => {
  const sandbox = await load({
    f: `async function handler(bodies) {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      const outcomes = bodies.map((body) => new Response(body, { headers }).formData().then((form) => [...form], (e) => e.name));
      return Promise.all(outcomes);
    }`,
  });
  const part = (head: string, content = 'x') => `--b\r\n${head}\r\n\r\n${content}\r\n--b--\r\n`;
  const bodies = [
    '',
    '--b',
    '--b\r\n',
    '--b--',
    '--b\r\n\r\nx\r\n--b--',
    part('Content-Disposition: form-data'),
    part('Content-Disposition: other; name="a"'),
    part('no header'),
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nnever ends',
    part('Content-Disposition: form-data; name="a"'),
    part('Content-Disposition: form-data; name="a"', '--bx'),
  ];
  const failure = 'TypeError';
  const expected = [failure, failure, failure, [], failure, failure, failure, failure, failure, [['a', 'x']]];
  assert.deepEqual(await sandbox.callHandler('f', bodies), [...expected, failure]);
});
