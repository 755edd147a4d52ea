// Settings of Redis with which jobs can be lost.

/** Says so, if Redis keeps nothing or may throw jobs away. Where settings cannot be read, nothing is said. */
export async function warnOfSettings(client, log) {
  const read = async (name) => (await client.config('GET', name).catch(() => []))[1];
  const [appendOnly, save, policy] = await Promise.all(['appendonly', 'save', 'maxmemory-policy'].map(read));
  if (appendOnly === 'no') {
    const kept = save === '' ? 'nothing is kept' : 'what came since the last save is lost';
    log('warn', `Redis has no append-only file: when it ends, ${kept}. Set appendonly to yes.`);
  }
  if (policy !== undefined && policy !== 'noeviction') {
    log('warn', `Redis may throw jobs away: maxmemory-policy is ${policy}. Set it to noeviction.`);
  }
}
