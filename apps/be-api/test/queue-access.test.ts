import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { openQueue, type QueueBackend } from '@connecta/queue';
import { silentLogger } from '@connecta/runtime';
import { QueueAccounts } from '../src/workers/queue-access.ts';

let services: TestServices;
let queue: QueueBackend;
beforeAll(async () => {
  services = await testServices();
  const [kind = 'postgres'] = services.queueBackends;
  const url = kind === 'redis' ? (services.redisUrl ?? '') : await services.queueDatabaseUrl();
  queue = openQueue({ kind, url, prefix: services.redisPrefix, onError: () => undefined });
});
afterAll(async () => {
  await queue.close();
  await services.close();
});

const accountsOf = (more: { staticUrl?: string } = {}) =>
  new QueueAccounts({
    ...{ queue, prefix: services.redisPrefix, leaseKey: 'k'.repeat(43), assertEveryMs: 0, log: silentLogger() },
    ...more,
  });

/** What somebody with this URL can learn of a type's queue; an error where it is refused. */
async function countsAs(url: string, workerType: string): Promise<unknown> {
  const own = openQueue({ kind: queue.kind, url, prefix: services.redisPrefix, onError: () => undefined });
  try {
    return await own.jobs.counts(workerType);
  } catch (error) {
    return error;
  } finally {
    await own.close();
  }
}

describe('QueueAccounts', () => {
  test('every replica gives a type the same account, which reaches the type alone', async () => {
    const first = await accountsOf().accessFor('mason');
    expect(await accountsOf().accessFor('mason')).toEqual(first);
    expect(first).toMatchObject({ backend: queue.kind, prefix: services.redisPrefix, name: 'mason' });
    expect(await countsAs(first.url, 'mason')).toEqual({ waiting: 0, active: 0 });
    expect(await countsAs(first.url, 'smith')).toBeInstanceOf(Error);
  });

  test('an account that the store forgot is made again', async () => {
    if (queue.kind !== 'redis') return;
    const accounts = accountsOf();
    const { url } = await accounts.accessFor('smith');
    await queue.accounts.remove('smith');
    expect(await countsAs(url, 'smith')).toBeInstanceOf(Error);
    accounts.keep('smith');
    for (let tries = 0; tries < 50 && (await countsAs(url, 'smith')) instanceof Error; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await countsAs(url, 'smith')).toEqual({ waiting: 0, active: 0 });
  });

  test('an address that its operator gave goes to everybody', async () => {
    const accounts = accountsOf({ staticUrl: 'rediss://shared@example:6380' });
    expect((await accounts.accessFor('mason')).url).toBe('rediss://shared@example:6380');
  });
});
