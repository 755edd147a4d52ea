// Runs a program in a worker thread or in a process of its own.
import { once } from 'node:events';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

const channel = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));
const { source, names, sync, signal, replies } = workerData ?? (await once(process, 'message'))[0];

const host = Object.fromEntries(names.map((name) => [name, sync ? wait(name) : ask(name)]));
const handler = new Function('host', `${source}\nreturn handler;`)(host);
const answers = new Map();
let asked = 0;
channel.on('message', async ({ event, id, value }) => {
  if (event === undefined) return answers.get(id)(value);
  try {
    send({ result: await handler(event) });
  } catch (error) {
    send({ error: error.message });
  }
});
send({});

function ask(name) {
  return (...values) =>
    new Promise((resolve) => {
      const id = ++asked;
      answers.set(id, (value) => {
        answers.delete(id);
        resolve(value);
      });
      send({ name, id, values });
    });
}

function wait(name) {
  return (...values) => {
    Atomics.store(signal, 0, 0);
    send({ name, values });
    Atomics.wait(signal, 0, 0);
    return receiveMessageOnPort(replies).message;
  };
}
