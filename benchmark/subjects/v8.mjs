// The host's own engine without any isolation: what the work itself takes. Clean state is a new context.
import { createContext, Script } from 'node:vm';

export async function open({ source, host }) {
  const handler = new Function('host', `${source}\nreturn handler;`)(host);
  const script = new Script(`${source}\nhandler;`);
  const call = (handler, event) => handler(JSON.parse(JSON.stringify(event)));
  return {
    call: async (event) => call(handler, event),
    fresh: async (event) => call(script.runInContext(createContext({ host })), event),
    async close() {},
  };
}
