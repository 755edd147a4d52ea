// Takes the samples of a case, a slice of time for each subject in turn, so that whatever else happens on the machine hits
// all of them.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const AGENT = fileURLToPath(new URL('agent.mjs', import.meta.url));
const ANSWER_MS = 120_000;

/** How long to measure a case: in all, and for each subject in a round. */
export const WHOLE = { budgetMs: 9000, minRounds: 3, sliceMs: 40, most: 100, warmUpMs: 300 };
export const QUICK = { budgetMs: 400, minRounds: 1, sliceMs: 20, most: 50, warmUpMs: 50 };

/** A process that measures one subject. */
export class Agent {
  static async start(subject, ...options) {
    const { execArgv = [] } = await import(`./subjects/${subject}.mjs`);
    const agent = new Agent(fork(AGENT, [subject, ...options], { execArgv }));
    try {
      agent.version = (await agent.#answer()).version;
      return agent;
    } catch (error) {
      agent.stop();
      throw error;
    }
  }

  constructor(child) {
    this.child = child;
  }

  async samples(milliseconds, most) {
    this.child.send({ milliseconds, most });
    return (await this.#answer()).samples;
  }

  stop() {
    if (this.child.connected) this.child.disconnect();
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const settle = (message) => {
        clearTimeout(timer);
        this.child.removeAllListeners();
        if (message.error) reject(new Error(message.error));
        else resolve(message);
      };
      const timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        settle({ error: 'it takes too long' });
      }, ANSWER_MS);
      this.child.on('message', settle);
      this.child.on('error', (error) => settle({ error: error.message }));
      this.child.on('exit', (code, signal) => settle({ error: `the process has ended: ${signal ?? code}` }));
    });
  }
}

/** Gives for each subject its samples, or the error with which it failed. */
export async function measure(testCase, names, pace) {
  const options = [testCase.name, pace === QUICK ? 'quick' : 'whole'];
  const subjects = names.map((name) => ({ name, samples: [] }));

  async function attempt(subject, act) {
    if (subject.error) return;
    try {
      await act(subject);
    } catch (error) {
      subject.error = error.message;
    }
  }
  const start = async (subject) => {
    subject.agent = await Agent.start(subject.name, ...options);
  };
  const warmUp = (subject) => subject.agent.samples(pace.warmUpMs, pace.most);
  const take = async (subject) => {
    if (testCase.oneSample) await start(subject);
    subject.samples.push(...(await subject.agent.samples(pace.sliceMs, testCase.oneSample ? 1 : pace.most)));
    if (testCase.oneSample) subject.agent.stop();
  };

  if (!testCase.oneSample) {
    await Promise.all(subjects.map((subject) => attempt(subject, start)));
    for (const subject of subjects) await attempt(subject, warmUp);
  }
  const end = performance.now() + pace.budgetMs;
  for (let round = 0; round < (testCase.rounds ?? pace.minRounds) || performance.now() < end; round++) {
    // Nobody always comes after the same.
    const order = round % 2 ? subjects.toReversed() : subjects;
    for (const subject of order) await attempt(subject, take);
    if (subjects.every(({ error }) => error)) break;
  }
  for (const { agent } of subjects) agent?.stop();
  return subjects;
}
