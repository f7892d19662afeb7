import { UnusableQueueError } from '../errors.ts';
import { within } from '../waiting.ts';
import type { RedisConnections } from './connections.ts';

/** XAUTOCLAIM came with 6.2. */
const OLDEST = { major: 6, minor: 2 };

/** Refuses a Redis that would lose work silently.
 * @throws UnusableQueueError, QueueUnavailableError */
export async function checkRedis(connections: RedisConnections, timeoutMs: number): Promise<void> {
  const redis = await connections.briskReady(timeoutMs);
  const reasons = reasonsAgainst(await within(timeoutMs, 'INFO', redis.info()));
  if (reasons.length > 0) throw new UnusableQueueError(reasons);
}

/** What speaks against a Redis that answers INFO like this. */
export function reasonsAgainst(info: string): string[] {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const reasons: string[] = [];
  const [major = 0, minor = 0] = field('redis_version').split('.').map(Number);
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor))
    reasons.push(`Redis ${field('redis_version')} is older than ${OLDEST.major}.${OLDEST.minor}`);
  const policy = field('maxmemory_policy');
  if (policy !== 'noeviction') reasons.push(`maxmemory-policy is ${policy}, which drops work: it must be noeviction`);
  if (field('redis_mode') === 'cluster') reasons.push('Redis Cluster is not supported');
  if (field('role') === 'slave') reasons.push('this Redis is a replica');
  return reasons;
}
