// performance, as High Resolution Time and User Timing have it; navigator; self.
import { cases } from './web';

cases({
  'marks are in the order of their times': {
    code: `
      performance.mark('b', { startTime: 2 });
      performance.mark('a', { startTime: 1, detail: { x: 1 } });
      const marks = performance.getEntriesByType('mark').map(({ name, startTime, duration }) => [name, startTime, duration]);
      performance.clearMarks('b');
      const left = performance.getEntriesByName('b').length;
      performance.clearMarks();
      return [marks, left, performance.getEntriesByType('mark').length];`,
    result: [
      [
        ['a', 1, 0],
        ['b', 2, 0],
      ],
      0,
      0,
    ],
  },
  'a measure is between marks, or times': {
    code: `
      performance.mark('from', { startTime: 1 });
      performance.mark('to', { startTime: 4 });
      const between = performance.measure('m', 'from', 'to');
      const byOptions = performance.measure('n', { start: 'to', duration: 6, detail: 'd' });
      performance.clearMarks(); performance.clearMeasures();
      return [between.startTime, between.duration, byOptions.startTime, byOptions.duration, byOptions.detail, between.entryType];`,
    result: [1, 3, 4, 6, 'd', 'measure'],
  },
  'what cannot be measured is refused': {
    code: `
      return [thrown(() => performance.measure('m', 'unknown')), thrown(() => performance.mark('m', { startTime: -1 })),
        thrown(() => performance.measure('m', { start: 1, end: 2, duration: 3 })), thrown(() => performance.mark())];`,
    result: ['SyntaxError', 'TypeError', 'TypeError', 'TypeError'],
  },
  'an observer is told': {
    code: `
      const { promise, resolve } = Promise.withResolvers?.() ?? (() => { let r; const p = new Promise((f) => { r = f; }); return { promise: p, resolve: r }; })();
      const observer = new PerformanceObserver((list) => resolve(list.getEntries().map(({ name }) => name)));
      observer.observe({ entryTypes: ['mark'] });
      performance.mark('seen');
      const timer = setTimeout(() => {}, 1000);
      const names = await promise;
      clearTimeout(timer);
      observer.disconnect();
      performance.clearMarks();
      return names;`,
    result: ['seen'],
  },
  'the clock goes on from its origin': {
    code: `
      const first = performance.now();
      return [performance.now() >= first, performance.timeOrigin > 1e12, typeof performance.toJSON().timeOrigin, String(performance)];`,
    result: [true, true, 'number', '[object Performance]'],
  },
  'the global object says what it is': {
    code: `return [self === globalThis, String(globalThis), navigator.userAgent, navigator instanceof Navigator];`,
    result: [true, '[object global]', 'hyperlight-js', true],
    notInNode: 'it has another name',
  },
});
