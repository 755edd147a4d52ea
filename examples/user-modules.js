// ES modules that handlers share: dependencies, a namespace, and state that one handler writes and another reads.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();
const jsSandbox = await protoSandbox.loadRuntime();

// In any order: a module is compiled when it is first imported.
jsSandbox.addModule(
  'geometry',
  `
  import { PI } from 'user:constants';
  export const circleArea = (radius) => PI * radius * radius;
`,
);
jsSandbox.addModule('constants', 'export const PI = 3.14159;');
jsSandbox.addModule('format', "export const inMetres = (area) => area.toFixed(2) + ' m2';", 'mylib');
jsSandbox.addModule(
  'counter',
  `
  let count = 0;
  export const increment = () => ++count;
  export const getCount = () => count;
`,
);

jsSandbox.addHandler(
  'area',
  `
  import { circleArea } from 'user:geometry';
  import { inMetres } from 'mylib:format';
  import { increment } from 'user:counter';

  function handler({ radius }) {
    increment();
    return inMetres(circleArea(radius));
  }
`,
);
jsSandbox.addHandler(
  'statistics',
  `
  import { getCount } from 'user:counter';
  function handler() { return { areas: getCount() }; }
`,
);

const loadedSandbox = await jsSandbox.getLoadedSandbox();
console.log(await loadedSandbox.callHandler('area', { radius: 1 }));
console.log(await loadedSandbox.callHandler('area', { radius: 2 }));
console.log(await loadedSandbox.callHandler('statistics', {}));
