// The host's side of a worker thread or a process; `tenant.mjs` is the other.

/** A tenant at the other end of a channel. `start` makes such a channel. */
export async function tenantOf(start, program) {
  const tenant = await connect(start(program), program);
  return {
    ...tenant,
    async fresh(event) {
      const fresh = await connect(start(program), program);
      try {
        return await fresh.call(event);
      } finally {
        await fresh.close();
      }
    },
  };
}

async function connect(channel, { host, sync }) {
  // One call at a time.
  let settle;
  const next = () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
  channel.onEnd((error) => settle.reject(error));
  channel.onMessage(async ({ name, id, values, result, error }) => {
    if (name) {
      const value = host[name](...values);
      if (sync) channel.answer(value);
      else channel.send({ id, value: await value });
    } else if (error) settle.reject(new Error(error));
    else settle.resolve(result);
  });
  await next();
  return {
    pid: channel.pid,
    call(event) {
      const result = next();
      channel.send({ event });
      return result;
    },
    close: () => channel.end(),
  };
}
