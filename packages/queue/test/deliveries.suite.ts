import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Delivery } from '../src/index.ts';
import { deliveries, delivery, until } from './deliveries.ts';
import type { SuiteContext } from './suite-context.ts';

/** What happens to a delivery. */
export function deliveriesSuite(ctx: SuiteContext): void {
  describe('deliveries', () => {
    test('arrive as they were sent, and are gone when they are over', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = delivery();
      const seen: Delivery[] = [];
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 2,
        handle: async (taken) => void seen.push(taken),
      });
      await consumer.ready;
      await ctx.enqueue(queue, sent);
      await until('arrival', () => seen.length === 1);
      expect(seen).toEqual([sent]);
      await until('the end', async () => (await queue.jobs.counts(type)).active === 0);
      expect(await queue.jobs.ids(type)).toEqual({ waiting: [], active: [] });
    });

    test('of several types are sent in one call and reach their own type only', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const other = `${type}-other`;
      const [one, two] = [delivery(), delivery()];
      await queue.jobs.enqueue(
        new Map([
          [type, [one]],
          [other, [two]],
          ['nobody', []],
        ]),
      );
      expect((await queue.jobs.ids(type)).waiting).toEqual([one.id]);
      expect((await queue.jobs.ids(other)).waiting).toEqual([two.id]);
    });

    test('of a higher priority go first, of a lower one last, each in their order; all are listed and can be removed', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = ([...[5, 0, 9], undefined, ...[1, 10, 5, 1]] as const).map((priority, at) => ({
        ...delivery(at),
        ...(priority === undefined ? {} : { priority }),
      }));
      await ctx.enqueue(queue, ...sent);
      await ctx.enqueue(queue, ...sent);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 8, active: 0 });
      expect(new Set((await queue.jobs.ids(type)).waiting)).toEqual(new Set(sent.map(({ id }) => id)));
      const removed = { ...delivery(8), priority: 2 };
      await ctx.enqueue(queue, removed);
      await queue.jobs.remove(type, [removed.id]);
      const seen: unknown[] = [];
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 1,
        handle: async ({ data }) => void seen.push(data.value),
      });
      await until('arrival', () => seen.length === 8);
      await consumer.close(1_000);
      expect(seen).toEqual([5, 2, 0, 3, 6, 4, 7, 1]);
    });

    test('with the same id stay one while they wait', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = delivery();
      await ctx.enqueue(queue, sent);
      await ctx.enqueue(queue, sent, delivery());
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 2, active: 0 });
      const many = deliveries(100);
      await ctx.enqueue(queue, ...many);
      await ctx.enqueue(queue, ...many);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 102, active: 0 });
    });

    test('run in slots, never more than that at once', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      await ctx.enqueue(queue, ...deliveries(90));
      let running = 0;
      let most = 0;
      let done = 0;
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 3,
        handle: async () => {
          most = Math.max(most, ++running);
          await delay(3);
          running--;
          done++;
        },
      });
      await until('all done', () => done === 90);
      expect(most).toBe(3);
      await until('none held', () => consumer.held().length === 0);
      await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0);
    });

    test('whose handler fails are over all the same, and the fault is told', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      queue.jobs.consume(type, {
        instance: 'a',
        slots: 1,
        handle: () => Promise.reject(new Error('a broken handler')),
      });
      await ctx.enqueue(queue, delivery());
      await until('the fault', () => ctx.errors.some(({ message }) => message === 'a broken handler'));
      await until('an empty queue', async () => {
        const { waiting, active } = await queue.jobs.counts(type);
        return waiting + active === 0;
      });
    });

    test('that their handler gives back reach somebody else, alone or out of a pack', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = [...deliveries(65), delivery()];
      await ctx.enqueue(queue, ...sent.slice(0, -1));
      await ctx.enqueue(queue, ...sent.slice(-1));
      const refused = new Set<string>();
      const seen: string[] = [];
      queue.jobs.consume(type, {
        instance: 'picky',
        slots: 3,
        handle: async ({ id }) => {
          if (refused.has(id)) return void seen.push(id);
          refused.add(id);
          return 'back';
        },
      });
      await until('all taken the second time', () => seen.length === sent.length);
      expect(new Set(seen)).toEqual(new Set(sent.map(({ id }) => id)));
      await until('an empty queue', async () => {
        const { waiting, active } = await queue.jobs.counts(type);
        return waiting + active === 0;
      });
      expect(seen).toHaveLength(sent.length);
    });

    test('are taken by as many slots as there are at the moment, with none of them not at all', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const seen: string[] = [];
      const release: (() => void)[] = [];
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 0,
        handle: ({ id }) => new Promise<void>((resolve) => seen.push(id) && release.push(resolve)),
      });
      await ctx.enqueue(queue, ...deliveries(4));
      await delay(300);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 4, active: 0 });
      consumer.resize(2);
      await until('two', () => seen.length === 2);
      consumer.resize(0);
      for (const end of release) end();
      await until('their end', () => consumer.held().length === 0);
      await until('nothing taken', async () => (await queue.jobs.counts(type)).active === 0);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 2, active: 0 });
      // A request for work is under way: what it brings after the slots went is put back.
      consumer.resize(3);
      await until('the rest', () => seen.length === 4);
      await delay(200);
      consumer.resize(0);
      for (const end of release) end();
      await ctx.enqueue(queue, delivery());
      await until('it waits again', async () => {
        const { waiting, active } = await queue.jobs.counts(type);
        return consumer.held().length === 0 && waiting === 1 && active === 0;
      });
      consumer.resize(1);
      await until('the last', () => seen.length === 5);
      release.at(-1)?.();
    });

    test('can be taken away while they wait, also out of a pack, but not while they run', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = deliveries(100);
      await ctx.enqueue(queue, ...sent);
      const alone = delivery();
      await ctx.enqueue(queue, alone);
      const gone = [sent[3]!.id, sent[4]!.id, sent[50]!.id, alone.id];
      await queue.jobs.remove(type, [...gone, delivery().id]);
      const left = sent.map(({ id }) => id).filter((id) => !gone.includes(id));
      expect(new Set((await queue.jobs.ids(type)).waiting)).toEqual(new Set(left));
      const seen: string[] = [];
      const blocked: { release?: () => void } = {};
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 1,
        handle: async ({ id }) => {
          seen.push(id);
          if (seen.length === 1) await new Promise<void>((resolve) => (blocked.release = resolve));
        },
      });
      await until('the first', () => seen.length === 1);
      await queue.jobs.remove(type, [seen[0]!]);
      expect((await queue.jobs.ids(type)).active).toContain(seen[0]);
      blocked.release?.();
      await until('the rest', () => seen.length === left.length);
      expect(new Set(seen)).toEqual(new Set(left));
      expect(consumer.running()).toBeLessThanOrEqual(1);
    });
  });

  describe('a delivery that is there twice, in a pack and by itself', () => {
    test('leaves nothing behind when the pack becomes as small as itself', async () => {
      const { type } = ctx;
      const queue = ctx.openOne({ pack: { above: 1, size: 2, putBackMs: 250 } });
      const sent = deliveries(17);
      await ctx.enqueue(queue, ...sent);
      await ctx.enqueue(queue, sent[0]!);
      await queue.jobs.remove(type, [sent[1]!.id]);
      const seen = new Set<string>();
      queue.jobs.consume(type, { instance: 'a', slots: 4, handle: ({ id }) => Promise.resolve(void seen.add(id)) });
      await until('an empty queue', async () => {
        const { waiting, active } = await queue.jobs.ids(type);
        return waiting.length + active.length === 0;
      });
      expect(sent.every(({ id }, at) => at === 1 || seen.has(id))).toBe(true);
    });
  });

  describe('the marker', () => {
    test('is missing for a new type and stays once it is set', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      expect(await queue.jobs.hasMarker(type)).toBe(false);
      await queue.jobs.setMarker(type);
      expect(await queue.jobs.hasMarker(type)).toBe(true);
      expect(await ctx.openOne().jobs.hasMarker(type)).toBe(true);
    });
  });
}
