// Connections to Redis beside those that BullMQ makes, and what both sides name in it.
import { Redis } from 'ioredis';

/** A connection of its own, by the same options or as another client has it. */
export function connect(connection) {
  if (typeof connection.duplicate === 'function') return connection.duplicate();
  const { url, ...options } = connection;
  const all = { ...options, maxRetriesPerRequest: null };
  return url === undefined ? new Redis(all) : new Redis(url, all);
}

/** The options for BullMQ. */
export function bullOptions({ connection, prefix = 'bull' }) {
  const isClient = typeof connection.duplicate === 'function';
  return { connection: isClient ? connection : { ...connection, maxRetriesPerRequest: null }, prefix };
}

/** The channel on which callers say which job is to be stopped. */
export function channelOfCancellations({ queue, prefix = 'bull' }) {
  return `${prefix}:${queue}:hyperlight-cancel`;
}
