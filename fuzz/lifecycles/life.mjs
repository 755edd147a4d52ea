import { createRequire } from 'node:module';
import { World } from './model.mjs';
import { operations } from './operations.mjs';
import { Random } from './random.mjs';

const addon = createRequire(import.meta.url)('../..');
const tickets = operations.flatMap(([weight, operation]) => Array(weight).fill(operation));

/** Does so many things in a world of its own. What has been done is in `log`. */
export async function live(seed, steps, log = []) {
  const random = new Random(seed);
  const world = new World(addon, random);
  for (let step = 0; step < steps; step++) {
    const operation = random.of(tickets);
    log.push(operation.name);
    if ((await operation(world)) === false) log.pop();
    for (const sandbox of world.loaded) sandbox.check();
  }
  await world.close();
}
