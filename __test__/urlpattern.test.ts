// URLPattern, as the URL Pattern Standard has it.
import { cases } from './web';

const notInNode = 'Node.js has it from version 23.8 on';

cases({
  'a pattern finds names in a URL': {
    code: `
      const pattern = new URLPattern({ pathname: '/books/:id', hostname: '*.example.com' });
      const found = pattern.exec('https://shop.example.com/books/12?x#y');
      return [found.pathname.groups, found.hostname.groups, pattern.test('https://example.com/books/12'), pattern.exec('https://a.b/c')];`,
    result: [{ id: '12' }, { 0: 'shop' }, false, null],
    notInNode,
  },
  'a pattern may be text, relative to a URL': {
    code: `
      const pattern = new URLPattern('/a/:b?', 'https://example.com');
      return [pattern.protocol, pattern.hostname, pattern.pathname, pattern.test('https://example.com/a'), pattern.test('http://example.com/a')];`,
    result: ['https', 'example.com', '/a/:b?', true, false],
    notInNode,
  },
  'groups may be regular expressions': {
    code: `
      const pattern = new URLPattern({ pathname: '/:year(\\\\d{4})/*' });
      return [pattern.hasRegExpGroups, pattern.exec({ pathname: '/2024/x/y' }).pathname.groups, pattern.test({ pathname: '/24/x' })];`,
    result: [true, { year: '2024', 0: 'x/y' }, false],
    notInNode,
  },
  'groups may use sets of characters': {
    code: `
      const pattern = new URLPattern({ pathname: '/([[a-z]--q])' });
      const anyCase = new URLPattern({ pathname: '/([\\\\d&&[0-1]])X/:a.:c' }, { ignoreCase: true });
      return [pattern.test({ pathname: '/a' }), pattern.test({ pathname: '/q' }), new URLPattern({ pathname: '/:a-:b' }).test({ pathname: '/x-y' }), anyCase.exec({ pathname: '/1x/y.z' }).pathname.groups, anyCase.test({ pathname: '/3x/y.z' })];`,
    result: [true, false, true, { 0: '1', a: 'y', c: 'z' }, false],
    notInNode,
  },
  'what is no pattern is refused': {
    code: `return [thrown(() => new URLPattern('relative')), thrown(() => new URLPattern({ pathname: '/(' })), thrown(() => new URLPattern({ pathname: '/:a/:a' }))];`,
    result: ['TypeError', 'TypeError', 'TypeError'],
    notInNode,
  },
});
