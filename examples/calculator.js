// Events as JSON: one handler that does what the event asks for, and errors that come back as results.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();
const jsSandbox = await protoSandbox.loadRuntime();

jsSandbox.addHandler(
  'calculator',
  `
  const operations = {
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
  };

  function handler({ operation, a, b }) {
    const operate = operations[operation];
    if (!operate) return { error: 'there is no operation ' + operation };
    if (operation === 'divide' && b === 0) return { error: 'division by zero' };
    return { result: operate(a, b) };
  }
`,
);

const loadedSandbox = await jsSandbox.getLoadedSandbox();
const events = [
  { operation: 'add', a: 10, b: 5 },
  { operation: 'subtract', a: 10, b: 5 },
  { operation: 'multiply', a: 10, b: 5 },
  { operation: 'divide', a: 10, b: 5 },
  { operation: 'divide', a: 10, b: 0 },
  { operation: 'power', a: 10, b: 5 },
];
for (const event of events) {
  const { result, error } = await loadedSandbox.callHandler('calculator', event);
  console.log(`${event.operation}(${event.a}, ${event.b}): ${error ?? result}`);
}
