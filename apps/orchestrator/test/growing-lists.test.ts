import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobId, JsonValue, OrderId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { requestCancel, requestRetry } from '@connecta/store';
import { apply, completed, expectConsistent, launch, type JobName } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';
import { Hands } from './hands.ts';
import { TEETH, broken, each, returns, tooth } from './teeth.ts';

describe('a list that its items extend', () => {
  let harness: Harness;
  let one: Hands;
  let other: Hands;
  beforeAll(async () => {
    harness = await Harness.start();
    [one, other] = [new Hands(harness, harness.parts()), new Hands(harness, harness.parts())];
  });
  afterAll(() => harness.close());

  /** An order whose first items are out. */
  const begun = async (step: PlannedStep, input: JsonValue): Promise<OrderId> => {
    const planId = await harness.plan({ steps: { step }, outputs: ['step'] });
    const [id] = (await harness.accept([{ planId, input }])) as [OrderId];
    await launch(harness, one.parts);
    await one.resolve(id);
    return id;
  };
  const headOf = (id: OrderId) => harness.store.prisma.job.findFirstOrThrow({ where: { orderId: id, item: 0 } });
  const orderOf = (id: OrderId) => harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
  const keysOf = async (id: OrderId) => (await one.itemsOf(id)).map(({ itemKey, attempt }) => `${itemKey} ${attempt}`);

  test('of two items that return them in one batch each is taken in once, what both know of too', async () => {
    const id = await begun(TEETH, [tooth('11', []), tooth('21', [])]);
    const [a, b] = await one.itemsOf(id);
    const common = tooth('12', []);
    await apply(one.parts, [
      returns(a as JobName, [common, tooth('13', [])]),
      returns(b as JobName, [common, tooth('22', []), tooth('11', [])]),
    ]);
    await one.resolve(id);
    expect(await keysOf(id)).toEqual(['11 1', '21 1', '12 1', '13 1', '22 1']);
    await expectConsistent(harness, id);
  });

  test('a repeated report extends nothing twice, also when its item is being computed again', async () => {
    const id = await begun({ ...TEETH, functionVersion: '1.0.0' } as PlannedStep, [tooth('11', ['12'])]);
    const [item] = await one.itemsOf(id);
    const report = returns(item as JobName, [tooth('12', ['11'])]);
    Object.assign(report.event, { functionVersion: '1.1.0' });
    expect((await apply(one.parts, [report, report])).late).toEqual([]);
    await one.resolve(id);
    await apply(one.parts, [report]);
    const [, found] = await one.itemsOf(id);
    await apply(one.parts, [completed(found as JobName)]);
    await one.resolve(id);
    expect(await keysOf(id)).toEqual(['11 2', '12 1']);
    expect((await apply(other.parts, [report])).late).toEqual([]);
    const again = { ...(item as JobName), attempt: 2 };
    await apply(one.parts, [returns(again, [tooth('12', ['11'])], 'new')]);
    await one.resolve(id);
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: ['new', 1] });
    // The version that ran is that of the attempt that counts.
    expect((await one.itemsOf(id)).map(({ ranVersion }) => ranVersion)).toEqual([null, null]);
    await expectConsistent(harness, id);
  });

  test('two replicas that see to the same list do it once', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await begun(TEETH, [tooth('11', ['12']), tooth('10', ['12'])]);
      const [a, b] = await one.itemsOf(id);
      await Promise.all([
        apply(one.parts, [returns(a as JobName, [tooth('12', [])])]),
        apply(other.parts, [returns(b as JobName, [tooth('13', [])])]),
      ]);
      await Promise.all([one.resolve(id), other.resolve(id)]);
      await one.resolve(id);
      const found = (await one.itemsOf(id)).slice(2);
      expect(found).toHaveLength(2);
      await apply(
        one.parts,
        found.map((item) => completed(item)),
      );
      const commands = await Promise.all([one.resolve(id), other.resolve(id)]);
      expect(commands.flat().toSorted()).toEqual(['1 2', '2 2']);
      expect(await headOf(id)).toMatchObject({ itemsTotal: 4, itemsCreated: 4, itemsDone: 2 });
      await apply(one.parts, [
        completed({ ...(a as JobName), attempt: 2 }),
        completed({ ...(b as JobName), attempt: 2 }),
      ]);
      await Promise.all([one.resolve(id), other.resolve(id)]);
      expect(await orderOf(id)).toMatchObject({ state: 'completed', result: [1, 1, 1, 1] });
      await expectConsistent(harness, id);
    }
  });

  test('what failed or was skipped is computed again too, as far as there is room', async () => {
    const step: PlannedStep = {
      ...scriptedStep([]),
      ...each({ key: 'each.item.id', related: { beside: 'each.item.beside' }, max: 1, onItemError: 'continue' }),
      if: 'each.item.id != "c" || size(each.related.beside) > 0',
    };
    const id = await begun(step, [tooth('a', ['new']), tooth('b', ['new']), tooth('c', ['new']), tooth('d', [])]);
    const next = async (report: (job: JobName) => ReturnType<typeof completed>): Promise<void> => {
      const [open] = (await one.itemsOf(id)).filter(({ state }) => state === 'invoked');
      await apply(one.parts, [report(open as JobName)]);
      await one.resolve(id);
    };
    await next(broken);
    await next(completed);
    await next((job) => returns(job, [tooth('new', [])]));
    await next(completed);
    for (let i = 0; i < 3; i++) await next((job) => completed(job, 'again'));
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: ['again', 'again', 'again', 1, 1] });
    expect(await keysOf(id)).toEqual(['a 2', 'b 2', 'c 2', 'd 1', 'new 1']);
    await expectConsistent(harness, id);
  });

  test('waits and orders are computed again as well', async () => {
    const planId = await harness.plan({ steps: { inner: scriptedStep([]) }, outputs: ['inner'] });
    const forEach = each({ key: 'each.item.id', related: { beside: 'each.item.beside' } });
    const step: PlannedStep = {
      ...{ kind: 'order', workflow: 'inner', planId, needs: [], with: 'each.key', ...forEach },
      params: { sees: 'size(each.related.beside)' },
    };
    const id = await begun(step, [tooth('a', ['b'])]);
    const childrenOf = async () => {
      const [item] = await one.itemsOf(id);
      return harness.store.prisma.order.findMany({ where: { parentJobId: item?.id ?? '' }, orderBy: { id: 'asc' } });
    };
    await harness.store.prisma.job.updateMany({
      where: { orderId: id, item: 1 },
      data: { newItems: [tooth('b', [])] },
    });
    await harness.store.prisma.job.updateMany({
      where: { orderId: id, item: 0 },
      data: { itemsExtension: { pending: 1, rounds: 0, stale: 0 } },
    });
    const endChildren = async (value: JsonValue): Promise<void> => {
      await launch(harness, one.parts);
      const jobs = await harness.store.prisma.job.findMany({ where: { state: 'invoked', step: 'inner' } });
      await apply(
        one.parts,
        jobs.map((job) => completed(job, value)),
      );
      await one.endWaits();
      await one.resolve(id);
    };
    await endChildren('first');
    await endChildren('first');
    await endChildren('second');
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: ['second', 'first'] });
    expect((await childrenOf()).map(({ params }) => params)).toEqual([{ sees: 0 }, { sees: 1 }]);
    await expectConsistent(harness, id);
  });

  test('an extension without end is an error of the step', async () => {
    const id = await begun(TEETH, [tooth('11', [])]);
    const extension = { pending: 0, rounds: 1000, stale: 0 };
    await harness.store.prisma.job.updateMany({ where: { orderId: id, item: 0 }, data: { itemsExtension: extension } });
    const [item] = await one.itemsOf(id);
    await apply(one.parts, [returns(item as JobName, [tooth('12', [])])]);
    await one.resolve(id);
    expect(await orderOf(id)).toMatchObject({ state: 'failed' });
    expect(await headOf(id)).toMatchObject({ state: 'error', error: { code: 'too_many_rounds' } });
    await expectConsistent(harness, id);
  });

  test('a retry takes in what lay there when the list failed; a cancel takes in nothing', async () => {
    const list = [tooth('11', []), tooth('21', [])];
    const id = await begun(TEETH, list);
    const [a, b] = await one.itemsOf(id);
    await apply(one.parts, [broken(a as JobName), returns(b as JobName, [tooth('22', [])])]);
    expect(await orderOf(id)).toMatchObject({ state: 'failed' });
    await requestRetry(harness.store, id);
    await expectConsistent(harness, id);
    await one.due();
    await apply(one.parts, [completed({ ...(a as JobName), attempt: 2 })]);
    await one.resolve(id);
    expect(await keysOf(id)).toEqual(['11 2', '21 1', '22 1']);
    await expectConsistent(harness, id);

    const gone = await begun(TEETH, list);
    const [c] = await one.itemsOf(gone);
    await apply(one.parts, [returns(c as JobName, [tooth('22', [])])]);
    await requestCancel(harness.store, gone, 'tester');
    await one.resolve(gone);
    expect(await one.itemsOf(gone)).toHaveLength(2);
    await expectConsistent(harness, gone);
  });

  test('a retry counts what fails before the turn of the head', async () => {
    const id = await begun(TEETH, [tooth('11', []), tooth('12', []), tooth('21', [])]);
    const [a, b, c] = (await one.itemsOf(id)) as unknown as [JobName, JobName, JobName];
    await apply(one.parts, [broken(a), broken(b), completed(c)]);
    await requestRetry(harness.store, id);
    await one.due(({ item }) => item > 0);
    const again = ({ id: jobId, orderId }: JobName): JobName => ({ id: jobId, orderId, attempt: 2 });
    await apply(one.parts, [broken(again(a)), completed(again(b))]);
    await expectConsistent(harness, id);
    await one.due();
    await one.resolve(id);
    expect(await orderOf(id)).toMatchObject({ state: 'failed' });
    await expectConsistent(harness, id);
  });

  test('a head whose numbers are not true is counted anew, once no item is under way', async () => {
    const id = await begun(TEETH, [tooth('11', []), tooth('21', [])]);
    const { id: headId } = await headOf(id);
    const items = await one.itemsOf(id);
    await harness.store.prisma.job.update({ where: { id: headId as JobId }, data: { itemsDone: -1 } });
    await apply(
      one.parts,
      items.map((item) => completed(item)),
    );
    expect(await headOf(id)).toMatchObject({ state: 'waiting', work: null, itemsDone: 1 });
    await one.recount();
    await one.resolve(id);
    expect(await orderOf(id)).toMatchObject({ state: 'completed', result: [1, 1] });
    await expectConsistent(harness, id);
  });
});
