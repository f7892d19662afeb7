import type { Redis } from 'ioredis';

/** Takes names of readers that are long gone out of the groups: every start of an orchestrator has a new one. Readers
 * that still owe an acknowledgement are kept, since their reports would be forgotten with them; a live reader that is
 * forgotten is known again by its next read. */
export async function forgetReaders(
  redis: Redis,
  keys: readonly string[],
  group: string,
  idleMs: number,
): Promise<void> {
  for (const key of keys) {
    const consumers = (await redis.xinfo('CONSUMERS', key, group)) as (string | number)[][];
    for (const fields of consumers) {
      const field = (name: string): string | number => fields[fields.indexOf(name) + 1] ?? '';
      if (field('pending') === 0 && Number(field('idle')) > idleMs)
        await redis.xgroup('DELCONSUMER', key, group, String(field('name')));
    }
  }
}
