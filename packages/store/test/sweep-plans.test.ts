import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type WorkerInstanceId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import type pg from 'pg';
import {
  findDueBackoffs,
  findLostRuns,
  findOfflineAttempts,
  findOverdueCompletions,
  findOverdueStarts,
  openStore,
  type Store,
} from '../src/index.ts';

const QUEUED = 100_000;
const LIMIT = 500;

/** The sweeps of the timers run twice a second: none of them may look at what only waits. */
describe('the sweeps of the timers, with a hundred thousand queued jobs', () => {
  let services: TestServices;
  let store: Store;
  let client: pg.PoolClient;
  /** On one connection: what was prepared there can be explained there. */
  let onClient: Store;

  beforeAll(async () => {
    services = await testServices();
    store = openStore({ databaseUrl: await services.databaseUrl('sweeps'), applicationName: 'test' });
    const type = { version: '1', language: 'ts', apiUrl: '', transport: 'bullmq', ownerTeam: 't', ownerContact: 'c' };
    for (const name of ['busy', 'away', 'idle']) {
      await store.prisma.workerType.create({ data: { name, ...type, functions: [], freeClockMs: 5000 } });
    }
    const instance = { workerType: 'busy', version: '1', language: 'ts', slots: 1, freeSlots: 0, heartbeatMs: 5000 };
    await store.prisma.workerInstance.create({
      data: { id: newId<WorkerInstanceId>(), instance: 'a', state: 'ready', ...instance },
    });
    const jobs = (count: number, worker: string, columns: string, values: string): Promise<unknown> =>
      store.pool.query(
        `INSERT INTO jobs (id, order_id, step, worker_type, function, profile_id, profile_revision, attempt, input, ${columns})
         SELECT gen_random_uuid(), gen_random_uuid(), 's', '${worker}', 'f', gen_random_uuid(), 1, 1, '1', ${values}
         FROM generate_series(1, ${count}) n`,
      );
    const queued = 'state, invoked_at, queued_at, start_by_clock_ms, give_up_at';
    const hour = `interval '1 hour'`;
    await jobs(QUEUED / 2, 'busy', queued, `'queued', now() - ${hour}, now(), 6000 + n, NULL`);
    await jobs(QUEUED / 4, 'busy', queued, `'queued', now() - ${hour}, now(), 6000 + n, now() + ${hour}`);
    await jobs(QUEUED / 4, 'away', queued, `'invoked', now() - ${hour}, NULL, NULL, now() + n * interval '1 minute'`);
    await jobs(3, 'busy', queued, `'queued', now(), now(), 4990, NULL`);
    await jobs(2, 'away', queued, `'invoked', now() - ${hour}, NULL, NULL, now() - interval '1 minute'`);
    await jobs(1, 'away', queued, `'invoked', now() - interval '25 hours', NULL, NULL, NULL`);
    await jobs(10, 'busy', 'state, not_before', `'pending', now() + (n - 4.5) * ${hour}`);
    await jobs(10, 'busy', 'state, started_at, complete_by', `'started', now(), now() + (n - 5.5) * ${hour}`);
    client = await store.pool.connect();
    onClient = { ...store, pool: client as unknown as Store['pool'] };
  }, 120_000);
  afterAll(async () => {
    client.release();
    await store.close();
    await services.close();
  });

  test.each<[string, number, () => Promise<unknown[]>]>([
    ['backoffs', 4, () => findDueBackoffs(onClient, LIMIT)],
    ['starts', 3, () => findOverdueStarts(onClient, LIMIT)],
    ['completions', 5, () => findOverdueCompletions(onClient, LIMIT)],
    ['runs that nobody lists', 0, () => findLostRuns(onClient, 30_000, LIMIT)],
    ['jobs of types that are offline', 3, () => findOfflineAttempts(onClient, LIMIT)],
  ])('%s that are due are found', async (_, count, find) => expect(await find()).toHaveLength(count));

  const arguments_: Record<string, string> = { find_lost_runs: `30000, ${LIMIT}` };
  test.each([
    ['find_due_backoffs', 'jobs_backoff'],
    ['find_overdue_starts', 'jobs_start_by'],
    ['find_overdue_completions', 'jobs_complete_by'],
    ['find_lost_runs', 'jobs_complete_by'],
    ['find_attempts_past_the_limit_of_their_type', 'jobs_open'],
    ['find_attempts_past_their_own_limit', 'jobs_give_up'],
  ])('%s reads hardly anything but what is due, by the index %s', async (name, index) => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING off) EXECUTE ${name}(${arguments_[name] ?? LIMIT})`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain(index);
    expect(plan).not.toMatch(/Seq Scan on jobs/);
    const removed = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, count]) => Number(count));
    expect(Math.max(0, ...removed)).toBeLessThan(20);
    const [, hit = '0', , read = '0'] = /Buffers: shared hit=(\d+)( read=(\d+))?/.exec(plan) ?? [];
    expect(Number(hit) + Number(read)).toBeLessThan(100);
  });
});
