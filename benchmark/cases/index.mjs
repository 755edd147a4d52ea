// All cases, in the order in which they are run and shown.
//
// A case has a `name`, says what it is `about` and in which `units` it measures, and which subjects it is `without`. Its
// `start` prepares a subject and gives what takes one sample, an object with a number for each unit. With `oneSample` each is
// taken in a new process, in at least so many `rounds`.
import { calls } from './calls.mjs';
import { computations } from './compute.mjs';
import { floor } from './floor.mjs';
import { hostCalls } from './host-calls.mjs';
import { largePrograms } from './large.mjs';
import { loopDelays } from './loop-delay.mjs';
import { memories } from './memory.mjs';
import { payload } from './payload.mjs';

export const CASES = [
  ...calls,
  ...hostCalls,
  ...payload,
  ...computations,
  ...largePrograms,
  ...memories,
  ...loopDelays,
  floor,
];
