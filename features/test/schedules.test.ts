import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandLine } from '../src/command-line.ts';
import { TestSystem, until } from '../src/system.ts';

interface Schedule {
  id: string;
  name: string;
  paused: boolean;
  nextAt: string | null;
  problem?: { code: string };
}
interface Tick {
  slot: string;
  kind: string;
  state: string;
  orderId?: string;
}

describe('orders that the clock places', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['probe'], replicas: { orchestrator: 3 } });
    await until(async () => (await system.api.send('GET', '/v1/workers/probe')).status === 200);
  });
  afterAll(() => system.stop());

  const create = async (body: object): Promise<Schedule> => {
    const order = { tasks: ['probe/quick'], input: 1 };
    const answer = await system.api.send<Schedule>('POST', '/v1/schedules', { body: { order, ...body } });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const ticks = async ({ id }: Schedule): Promise<Tick[]> =>
    (await system.api.send<{ items: Tick[] }>('GET', `/v1/schedules/${id}/ticks`)).body.items;
  const remove = ({ id }: Schedule) =>
    system.api.send('DELETE', `/v1/schedules/${id}`, { headers: { 'if-match': '*' } });

  test('each slot has one order, although three orchestrators are up and one after the other is killed', async () => {
    // Given a schedule of one slot a second
    const schedule = await create({ name: 'each-second', every: '1s', overlap: 'allow', missed: 'all' });
    await until(async () => (await ticks(schedule)).length >= 2);
    // When the leader, whichever it is, is killed
    for (const name of ['orchestrator', 'orchestrator-2', 'orchestrator-3']) {
      system.process(name).kill('SIGKILL');
      const before = (await ticks(schedule)).length;
      await until(async () => (await ticks(schedule)).length > before);
    }
    const paused = await system.api.send<Schedule>('POST', `/v1/schedules/${schedule.id}/pause`);
    expect(paused.body).toMatchObject({ paused: true, nextAt: null });
    // Then every slot has its one order, and none is left out
    const fired = await ticks(schedule);
    const slots = fired.map(({ slot }) => Date.parse(slot));
    expect(slots.every((slot, i) => i === 0 || slot === (slots[i - 1] ?? 0) - 1000)).toBe(true);
    expect(new Set(fired.map(({ orderId }) => orderId)).size).toBe(fired.length);
    for (const { orderId, slot } of fired) {
      const order = await system.api.ended(orderId ?? '');
      expect(order).toMatchObject({ state: 'completed', result: 2, params: { scheduledAt: slot } });
    }
    const placed = await system.store.prisma.order.count({ where: { createdBy: 'schedule:each-second' } });
    expect(placed).toBe(fired.length);
    await remove(schedule);
  });

  test('what a slot found is kept for the next ones by the result cache: functions do not see the slot', async () => {
    // Given a schedule of a step that is cached, and of one that says its slot by an expression
    const steps = {
      ...{
        same: { uses: 'probe/quick', cache: { ttl: '1h' } },
        slot: { uses: 'probe/quick', with: 'size(params.scheduledAt)' },
      },
    };
    const order = { steps: { ...steps, slot: { ...steps.slot, needs: ['same'] } }, output: 'slot', input: 77 };
    const schedule = await create({ name: 'kept', every: '1d', overlap: 'allow', order });
    // When it is run twice
    const run = async () => {
      const { body } = await system.api.send<{ orderId: string }>('POST', `/v1/schedules/${schedule.id}/run-now`);
      return system.api.ended(body.orderId);
    };
    const [first, second] = [await run(), await run()];
    // Then the second takes the result of the first
    expect(second.jobs['same']).toMatchObject({ attempt: 0, cachedFrom: { orderId: first.id } });
    expect([first.result, second.result]).toEqual([25, 25]);
    await remove(schedule);
  });

  test('slots pass while no worker is up, and their orders wait', async () => {
    // Given that the only runner is down
    await system.process('probe-runner').halt();
    // When a slot passes
    const schedule = await create({ name: 'no-worker', every: '1s', overlap: 'skip' });
    const first = await until(async () => (await ticks(schedule)).find(({ state }) => state === 'fired'));
    await until(async () => (await ticks(schedule)).some(({ state }) => state === 'skipped'));
    await system.api.send('POST', `/v1/schedules/${schedule.id}/pause`);
    // Then its order waits, later slots are left out, and it completes when the runner is back
    await system.process('probe-runner').restart();
    expect((await system.api.ended(first.orderId ?? '')).result).toBe(2);
    await remove(schedule);
  });

  test('a schedule is written with care: faults are told, a change needs the version that was read', async () => {
    const send = (body: object) => system.api.send<{ code: string }>('POST', '/v1/schedules', { body });
    const order = { tasks: ['probe/quick'], input: 1 };
    for (const [code, body] of [
      ['invalid_schedule', { cron: '0 25 * * *' }],
      ['invalid_schedule', { cron: '0 2 * * *', timeZone: 'Mars/Base' }],
      ['invalid_schedule', { every: '10ms' }],
      ['invalid_schedule', { every: '10m', cron: '0 2 * * *' }],
      ['invalid_schedule', {}],
      ['unknown_task', { every: '1h', order: { tasks: ['probe/none'] } }],
      ['bad_request', { every: '1h', order: { tasks: ['probe/quick'], task: 'probe/quick' } }],
      ['bad_request', { every: '1h', overlap: 'often' }],
    ] as const) {
      expect([code, (await send({ name: 'faulty', order, ...body })).body.code]).toEqual([code, code]);
    }
    const schedule = await create({ name: 'daily', cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    const path = `/v1/schedules/${schedule.id}`;
    const put = (headers: Record<string, string>) =>
      system.api.send('PUT', path, { body: { name: 'daily', every: '1h', order }, headers });
    expect((await put({})).status).toBe(428);
    expect((await put({ 'if-match': '"1"' })).status).toBe(200);
    expect((await put({ 'if-match': '"1"' })).status).toBe(412);
    expect((await send({ name: 'daily', every: '1h', order })).body.code).toBe('name_taken');
    // Given a slot that is due; when the schedule is changed without its times, then the slot stays
    const due = new Date(Date.now() + 3_600_000);
    await system.store.prisma.schedule.update({ where: { id: schedule.id }, data: { nextAt: due } });
    const anchor = (await system.api.send<{ anchor: string }>('GET', path)).body.anchor;
    const change = (body: object) =>
      system.api.send<Schedule>('PUT', path, { body: { name: 'daily', order, ...body }, headers: { 'if-match': '*' } });
    expect((await change({ every: '1h', anchor, description: 'x' })).body.nextAt).toBe(due.toISOString());
    await remove(schedule);
    expect((await system.api.send('GET', path)).status).toBe(404);
  });

  test('the past is made up for: first looked at, then run one after the other', async () => {
    const schedule = await create({ name: 'past', cron: '0 * * * *' });
    const path = `/v1/schedules/${schedule.id}/backfill`;
    const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T03:00:00Z' };
    const dry = await system.api.send<{ items: unknown[] }>('POST', path, { body: { ...range, dryRun: true } });
    expect(dry.body).toEqual({
      ...{ dryRun: true, queued: 3 },
      items: ['00', '01', '02'].map((hour) => ({ slot: `2026-03-01T${hour}:00:00.000Z`, action: 'queue' })),
    });
    expect(await ticks(schedule)).toEqual([]);
    expect((await system.api.send<{ queued: number }>('POST', path, { body: range })).body.queued).toBe(3);
    await until(async () => (await ticks(schedule)).every(({ state }) => state === 'fired'));
    // Asked for again, what has run is kept
    expect((await system.api.send<{ queued: number }>('POST', path, { body: range })).body.queued).toBe(0);
    // And while the schedule is paused nothing of it would run
    await system.api.send('POST', `/v1/schedules/${schedule.id}/pause`);
    expect((await system.api.send('POST', path, { body: { ...range, dryRun: true } })).status).toBe(409);
    await system.api.send('POST', `/v1/schedules/${schedule.id}/resume`);
    const future = { from: range.from, to: '2999-01-01T00:00:00Z' };
    expect((await system.api.send('POST', path, { body: future })).status).toBe(400);
    await remove(schedule);
  });

  test('an order is placed at once on demand, also of a paused schedule', async () => {
    const schedule = await create({ name: 'by-hand', cron: '0 0 1 1 *', paused: true });
    const runNow = () =>
      system.api.send<Tick>('POST', `/v1/schedules/${schedule.id}/run-now`, { headers: { 'idempotency-key': 'now' } });
    const ran = await runNow();
    expect([ran.status, ran.body.kind]).toEqual([202, 'manual']);
    // And a repeat of the request brings the same order
    expect((await runNow()).body).toEqual(ran.body);
    expect(await ticks(schedule)).toHaveLength(1);
    expect((await system.api.ended(ran.body.orderId ?? '')).state).toBe('completed');
    const resumed = await system.api.send<Schedule>('POST', `/v1/schedules/${schedule.id}/resume`);
    expect(resumed.body.nextAt).toMatch(/-01-01T00:00:00.000Z$/);
    await remove(schedule);
  });

  test('the command line makes, shows, runs, pauses and deletes a schedule', async () => {
    const cli = await CommandLine.open(system.api);
    const nightly = ['schedules', 'create', 'nightly', 'probe/quick', '--time-zone', 'Europe/Berlin', '-i', '5'];
    expect(await cli.json(...nightly, '--cron', '30 2 * * *')).toMatchObject({ name: 'nightly', paused: false });
    // What makes no sense, is taken or is refused ends by its kind
    expect((await cli.run(...nightly)).code).toBe(2);
    expect((await cli.run(...nightly, '--cron', '30 2 * * *')).code).toBe(6);
    expect((await cli.run('schedules', 'create', 'none', 'probe/quick', '--cron', 'x')).code).toBe(7);
    const { orderId } = await cli.json<Tick>('schedules', 'run-now', 'nightly');
    expect(await system.api.ended(orderId ?? '')).toMatchObject({ state: 'completed', result: 6 });
    const past = ['--from', '2026-03-01T00:00:00Z', '--to', '2026-03-03T00:00:00Z'];
    expect(await cli.json('schedules', 'backfill', 'nightly', ...past, '--dry-run')).toMatchObject({ queued: 2 });
    expect(await cli.json('schedules', 'get', 'nightly')).toMatchObject({ ticks: [{ kind: 'manual', orderId }] });
    expect((await cli.run('complete', '--', 'schedules', 'pause', 'nig')).out).toBe('nightly\n');
    expect((await cli.run('schedules', 'pause', 'nightly')).out).toBe('nightly is paused\n');
    expect((await cli.run('schedules')).out).toMatch(/nightly +30 2 \* \* \* .*paused/);
    expect((await cli.run('schedules', 'resume', 'nightly')).out).toContain('nightly goes on: next at ');
    expect((await cli.run('schedules', 'delete', 'nightly')).code).toBe(0);
    expect((await cli.run('schedules', 'get', 'nightly')).code).toBe(5);
    await cli.close();
  });
});
