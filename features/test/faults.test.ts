import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkGuarantees, type Kept } from '../src/guarantees.ts';
import { TestSystem, until } from '../src/system.ts';

/** The hold time of these tests (30 s in production): what a lost worker costs. */
const HOLD_MS = 5000;
const ORDERS = 500;
/** Three steps of 60 ms each; 2 runners × 10 slots: about 5 s of work. */
const TASKS = ['probe/slow', 'probe/slow', 'probe/slow'];
/** Beyond what the work itself takes. */
const RECOVERY_MS = HOLD_MS + 20_000;
const WORK_MS = 40_000;

describe('five hundred orders, hit in the middle of their work', () => {
  let system: TestSystem;
  let ids: string[] = [];

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
    await until(async () => (await fetch(`${system.api.url}/ready`)).ok);
    ids = await system.api.placeMany(
      Array.from({ length: ORDERS }, (_, i) => ({ client: 'default', input: i, tasks: TASKS })),
    );
    // Work is in flight: some orders are done, most are not.
    await until(async () => (await open()) < ORDERS - 20);
    expect(await open()).toBeGreaterThan(100);
  });

  const open = (): Promise<number> =>
    system.store.prisma.order.count({ where: { id: { in: ids }, state: { in: ['accepted', 'active'] } } });

  const allKept = async (): Promise<Kept> => {
    await until(async () => (await open()) === 0, RECOVERY_MS + WORK_MS);
    return checkGuarantees(system, ids, { steps: 3, result: (i) => i + 3 });
  };

  const redis = () => {
    const service = system.running.embedded.services.redis;
    if (!service) throw new Error('this test needs Redis');
    return service;
  };

  test('FLUSHALL loses nothing', async () => {
    await system.redisCommand('FLUSHALL');
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('Redis killed and restarted empty loses nothing', async () => {
    await redis().restart({ empty: true });
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('Redis killed and restarted with its file loses nothing', async () => {
    redis().kill('SIGKILL');
    await allKept();
  });

  test('kill -9 of both orchestrators, one after the other, loses nothing', async () => {
    system.process('orchestrator').kill('SIGKILL');
    await sleep(300);
    system.process('orchestrator-2').kill('SIGKILL');
    await allKept();
  });

  test('kill -9 of a runner loses nothing', async () => {
    system.process('probe-runner').kill('SIGKILL');
    expect((await allKept()).extraAttempts).toBeGreaterThan(0);
  });

  test('kill -9 of Postgres loses nothing', async () => {
    system.running.embedded.services.postgres?.kill('SIGKILL');
    await allKept();
  });

  test('kill -9 of both gateways loses nothing', async () => {
    system.process('fe-api').kill('SIGKILL');
    system.process('be-api').kill('SIGKILL');
    await allKept();
  });

  test('a runner stopped for two leases comes back late, and its results are refused', async () => {
    const runner = system.process('probe-runner-2');
    runner.kill('SIGSTOP');
    await sleep(2 * HOLD_MS + 2000);
    runner.kill('SIGCONT');
    const kept = await allKept();
    expect(kept.extraAttempts).toBeGreaterThan(0);
    await until(() => system.store.prisma.lateReport.count({ where: { orderId: { in: ids } } }));
  });
});
