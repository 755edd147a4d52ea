// Runs one case for one subject, in a process of its own: `agent.mjs SUBJECT [CASE [quick]]`. It takes samples whenever it is
// asked to, and idles otherwise. Without a case it only tells in which version the subject is there.
import { CASES } from './cases/index.mjs';

const [subjectName, caseName, quick] = process.argv.slice(2);
// Its own processes end with it.
process.on('disconnect', () => process.exit());

try {
  const subject = await import(`./subjects/${subjectName}.mjs`);
  const version = await subject.load?.();
  const sample = await CASES.find(({ name }) => name === caseName)?.start(subject, quick === 'quick');
  process.on('message', async ({ milliseconds, most }) => {
    try {
      const samples = [];
      const end = performance.now() + milliseconds;
      do samples.push(await sample());
      while (samples.length < most && performance.now() < end);
      process.send({ samples });
    } catch (error) {
      fail(error);
    }
  });
  process.send({ version });
} catch (error) {
  fail(error);
}

function fail(error) {
  process.send({ error: String(error.message).split('\n')[0] });
}
