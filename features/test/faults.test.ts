import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRecords, readRecords, type Kept } from '../src/guarantees.ts';
import { Ledger } from '../src/ledger.ts';
import { TestSystem, until } from '../src/system.ts';

/** The hold time of these tests (30 s in production): what a lost worker costs. */
const HOLD_MS = 5000;
const ORDERS = 500;
/** Three steps of 60 ms each; 2 runners × 10 slots: about 5 s of work. */
const TASKS = ['probe/slow', 'probe/slow', 'probe/slow'];
/** What a fault may cost beyond what an undisturbed run took. */
const RECOVERY_MS = HOLD_MS + 20_000;

describe('five hundred orders, hit in the middle of their work', () => {
  let system: TestSystem;
  let ids: string[] = [];
  /** What the work takes when nothing is broken, from the moment in which faults hit. */
  let undisturbedMs = 60_000;

  beforeAll(async () => {
    system = await TestSystem.start({
      workerTypes: ['probe'],
      replicas: { orchestrator: 2, runner: 2 },
      slots: 10,
      extra: { CONNECTA_HOLD_MS: String(HOLD_MS), WORKER_HEARTBEAT_MS: '1000' },
    });
  });
  afterAll(() => system.stop());

  beforeEach(async () => {
    // Given 500 orders of three steps, some of them done and most under way
    await until(async () => (await fetch(`${system.api.url}/ready`)).ok);
    ids = await system.api.placeMany(
      Array.from({ length: ORDERS }, (_, i) => ({ client: 'default', input: i, tasks: TASKS })),
    );
    await until(async () => (await open()) < ORDERS - 20);
    expect(await open()).toBeGreaterThan(100);
  });

  const open = (): Promise<number> =>
    system.store.prisma.order.count({ where: { id: { in: ids }, state: { in: ['accepted', 'active'] } } });

  const allKept = async (): Promise<Kept> => {
    await until(async () => (await open()) === 0, RECOVERY_MS + undisturbedMs);
    return checkRecords(await readRecords(system.store, new Ledger(system.ledgerFile), ids), TASKS.length);
  };

  const redis = () => {
    const service = system.running.embedded.services.redis;
    if (!service) throw new Error('this test needs Redis');
    return service;
  };

  test('undisturbed they take their time once', async () => {
    // Given that nothing is broken
    const since = Date.now();
    // When they run to their end
    const kept = await allKept();
    // Then no step was tried twice, and what follows is measured by the time it took
    expect(kept.extraAttempts).toBe(0);
    undisturbedMs = Date.now() - since;
  });

  test('FLUSHALL loses nothing', async () => {
    // When Redis is emptied
    await system.redisCommand('FLUSHALL');
    // Then all complete, some steps by another attempt
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('Redis killed and restarted empty loses nothing', async () => {
    // When Redis comes back without its data
    await redis().restart({ empty: true });
    // Then all complete, some steps by another attempt
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('Redis killed and restarted with its file loses nothing', async () => {
    // When Redis comes back with what its file has
    redis().kill('SIGKILL');
    // Then all complete
    await allKept();
  });

  test('kill -9 of both orchestrators, one after the other, loses nothing', async () => {
    // When one replica dies, and the other while the first is not back
    system.process('orchestrator').kill('SIGKILL');
    await sleep(300);
    system.process('orchestrator-2').kill('SIGKILL');
    // Then all complete
    await allKept();
  });

  test('kill -9 of a runner loses nothing', async () => {
    // When a runner dies with steps in its hands
    system.process('probe-runner').kill('SIGKILL');
    // Then all complete, those steps by another attempt
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('kill -9 of Postgres loses nothing', async () => {
    // When Postgres dies in its transactions
    system.running.embedded.services.postgres?.kill('SIGKILL');
    // Then all complete
    await allKept();
  });

  test('kill -9 of both gateways loses nothing', async () => {
    // When both gateways die
    system.process('fe-api').kill('SIGKILL');
    system.process('be-api').kill('SIGKILL');
    // Then all complete
    await allKept();
  });

  test('a runner stopped for two leases comes back late, and its results are refused', async () => {
    // Given a runner that stands still for two leases, in which others get its steps
    const runner = system.process('probe-runner-2');
    runner.kill('SIGSTOP');
    const since = Date.now();
    await until(
      () => system.store.prisma.job.count({ where: { orderId: { in: ids }, attempt: { gt: 1 } } }),
      HOLD_MS + 20_000,
    );
    await sleep(Math.max(0, since + 2 * HOLD_MS - Date.now()));
    // When it goes on
    runner.kill('SIGCONT');
    // Then all complete, and its results are kept aside
    const kept = await allKept();
    expect(kept.extraAttempts).toBeGreaterThan(0);
    await until(() => system.store.prisma.lateReport.count({ where: { orderId: { in: ids } } }));
  });
});
