// Functions that a program finds as variables of its own, such as `external_find`.
import { invalid, isVariable } from './program.js';

/** The module that they are in. */
const MODULE = 'hyperlight_external';

/** What `runProgram` takes: the functions, and the head that makes them variables. */
export function variables(entries) {
  const functions = Object.create(null);
  for (const [name, call] of entries) {
    if (!isVariable(name)) throw invalid(`${name.slice(0, 100)} is no name of a variable`);
    if (name in functions) throw invalid(`there are two functions named ${name}`);
    functions[name] = call;
  }
  const names = Object.keys(functions);
  if (names.length === 0) return {};
  return { functions: { [MODULE]: functions }, head: `const { ${names.join(', ')} } = ${MODULE}; ` };
}
