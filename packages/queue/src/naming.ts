/** Names that can stand in a Redis key, an ACL pattern, a Postgres schema and a BullMQ queue without any escaping. */
const WORKER_TYPE = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const PREFIX = /^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/;

/** Refuses a worker type whose name could reach into another's keys.
 * @throws TypeError */
export function checkWorkerType(workerType: string): string {
  if (!WORKER_TYPE.test(workerType)) throw new TypeError(`not a worker type's name: '${workerType}'`);
  return workerType;
}

/** @throws TypeError */
export function checkPrefix(prefix: string): string {
  if (!PREFIX.test(prefix)) throw new TypeError(`not a key prefix: '${prefix}'`);
  return prefix;
}

/** Our own keys of a worker type, beside BullMQ's (`<prefix>:<type>:wait`, …): all share the part an account is limited to. */
export function typeKeys(prefix: string, workerType: string) {
  const own = `${prefix}:${workerType}`;
  return { reports: `${own}:reports`, filled: `${own}:filled`, pattern: `${own}:*` };
}
