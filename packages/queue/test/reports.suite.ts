import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { completed, readValues, valuesOf } from './deliveries.ts';
import type { SuiteContext } from './suite-context.ts';

/** The way of reports. */
export function reportsSuite(ctx: SuiteContext): void {
  describe('reports', () => {
    test('sent before any reader is there are read, once, with the type they came from', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = completed(1);
      await queue.events.publish(type, [sent]);
      await Promise.all([2, 3, 4].map((value) => queue.events.publish(type, [completed(value)])));
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      const batch = await reader.read({ max: 100, blockMs: 1_000 });
      expect(batch.events[0]).toEqual({ workerType: type, body: sent });
      const values = valuesOf(batch);
      await batch.ack();
      values.push(...(await readValues(reader, 4 - values.length, 30_000)));
      expect(values.sort()).toEqual([1, 2, 3, 4]);
      expect((await reader.read({ max: 100, blockMs: 300 })).events).toEqual([]);
    });

    test('are known to be all that waited, or not', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      for (const value of [1, 2, 3]) await queue.events.publish(type, [completed(value)]);
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      const first = await reader.read({ max: 2, blockMs: 1_000 });
      expect([valuesOf(first), first.whole]).toEqual([[1, 2], false]);
      const second = await reader.read({ max: 2, blockMs: 1_000 });
      expect([valuesOf(second), second.whole]).toEqual([[3], true]);
      expect((await reader.read({ max: 2, blockMs: 10 })).whole).toBe(true);
      // Without a type, nothing was looked at.
      const blind = queue.events.reader({ consumer: 'blind', workerTypes: () => [] });
      expect((await blind.read({ max: 2, blockMs: 10 })).whole).toBe(false);
    });

    test('wake a waiting reader at once', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      await reader.read({ max: 10, blockMs: 10 });
      const times: number[] = [];
      for (let at = 0; at < 5; at++) {
        const reading = reader.read({ max: 10, blockMs: 60_000 });
        await delay(100);
        const start = performance.now();
        await queue.events.publish(type, [completed(at)]);
        const batch = await reading;
        times.push(performance.now() - start);
        expect(valuesOf(batch)).toEqual([at]);
        await batch.ack();
      }
      // Far less than the wait: a bound that a busy machine does not reach.
      expect(Math.min(...times)).toBeLessThan(30_000);
    });

    test('of a type that appears while a read waits are read within about a second', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const types = [type];
      const late = `${type}-late`;
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => types });
      const reading = reader.read({ max: 10, blockMs: 60_000 });
      await delay(200);
      types.push(late);
      await queue.events.publish(late, [completed(7)]);
      const start = Date.now();
      expect((await reading).events.map(({ workerType }) => workerType)).toEqual([late]);
      expect(Date.now() - start).toBeLessThan(30_000);
    });

    test('of a type that appears while the reader makes ready are read as well', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const types = [type];
      const late = `${type}-late`;
      await queue.events.publish(late, [completed(7)]);
      const workerTypes = (): readonly string[] => {
        if (types.length === 1) queueMicrotask(() => types.push(late));
        return types;
      };
      const reader = queue.events.reader({ consumer: 'r', workerTypes });
      const { events } = await reader.read({ max: 10, blockMs: 10_000 });
      expect(events.map(({ workerType }) => workerType)).toEqual([late]);
    });

    test('that a reader took and did not acknowledge go to another one; none is lost', async () => {
      const { type } = ctx;
      const queue = ctx.openOne({ claimIdleMs: 600 });
      await queue.events.publish(type, [1, 2, 3].map(completed));
      const dead = queue.events.reader({ consumer: 'dead', workerTypes: () => [type] });
      expect(valuesOf(await dead.read({ max: 100, blockMs: 1_000 }))).toEqual([1, 2, 3]);
      await dead.close();
      const reader = queue.events.reader({ consumer: 'alive', workerTypes: () => [type] });
      expect((await reader.read({ max: 100, blockMs: 100 })).events).toEqual([]);
      expect((await readValues(reader, 3, 30_000)).sort()).toEqual([1, 2, 3]);
      await delay(800);
      expect((await reader.read({ max: 100, blockMs: 300 })).events).toEqual([]);
    });

    test('reach readers exactly once while nobody fails, whatever the load', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const readers = ['a', 'b'].map((consumer) => queue.events.reader({ consumer, workerTypes: () => [type] }));
      const total = 3_000;
      const values: unknown[] = [];
      const read = async (reader: (typeof readers)[number]): Promise<void> => {
        while (values.length < total) {
          const batch = await reader.read({ max: 50, blockMs: 200 });
          values.push(...valuesOf(batch));
          void batch.ack();
        }
      };
      const reading = Promise.all(readers.map(read));
      for (let at = 0; at < total; at += 100)
        await Promise.all(Array.from({ length: 100 }, (_none, i) => queue.events.publish(type, [completed(at + i)])));
      await reading;
      expect(new Set(values).size).toBe(total);
      expect(values).toHaveLength(total);
    });

    test('are refused when the queue is closed, and a waiting read ends', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      await queue.events.publish(type, [completed(1)]);
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [`${type}-silent`] });
      const reading = reader.read({ max: 10, blockMs: 20_000 });
      await delay(200);
      await queue.close();
      expect((await reading).events).toEqual([]);
      await expect(queue.events.publish(type, [completed(2)])).rejects.toThrow('closed');
    });
  });
}
