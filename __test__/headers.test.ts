// Headers, as the Fetch Standard has them.
import { cases } from './web';

cases({
  'names have no case, and values with the same name are one': {
    code: `
      const headers = new Headers([['X-B', '1'], ['x-a', ' 2\\t']]);
      headers.append('x-b', '3');
      return [[...headers], headers.get('X-A'), headers.get('x-c'), headers.has('X-b')];`,
    result: [
      [
        ['x-a', '2'],
        ['x-b', '1, 3'],
      ],
      '2',
      null,
      true,
    ],
  },
  'cookies stay apart': {
    code: `
      const headers = new Headers({ 'set-cookie': 'a=1' });
      headers.append('Set-Cookie', 'b=2');
      return [headers.getSetCookie(), [...headers.keys()], headers.get('set-cookie')];`,
    result: [['a=1', 'b=2'], ['set-cookie', 'set-cookie'], 'a=1, b=2'],
  },
  'set replaces the first and removes the others': {
    code: `
      const headers = new Headers([['a', '1'], ['a', '2'], ['b', '3']]);
      headers.set('A', '4');
      headers.delete('B');
      return [...headers];`,
    result: [['a', '4']],
  },
  'what no header can have is refused': {
    code: `
      const bad = [[['', 'x']], [['a b', 'x']], [['a', 'x\\ny']], [['a', '\\u0100']], [['a']], [['a', 'b', 'c']], 'text', null];
      return bad.map((init) => thrown(() => new Headers(init)));`,
    result: Array(8).fill('TypeError'),
  },
  'no line can be smuggled into a value': {
    code: `
      const headers = new Headers();
      const tries = ['x\\r\\nEvil: 1', 'x\\0', 'x\\ry'].map((value) => thrown(() => headers.set('a', value)));
      return [tries, [...headers]];`,
    result: [['TypeError', 'TypeError', 'TypeError'], []],
  },
  'changes are seen while it is iterated': {
    code: `
      const headers = new Headers({ a: '1' });
      const seen = [];
      for (const [name] of headers) { seen.push(name); if (name === 'a') headers.set('b', '2'); }
      return seen;`,
    result: ['a', 'b'],
  },
});
