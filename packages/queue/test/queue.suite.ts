import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openQueue, type Delivery, type OpenQueueOptions, type QueueBackend } from '../src/index.ts';
import { completed, deliveries, delivery, readValues, until, valuesOf } from './deliveries.ts';

export interface SuiteStore {
  kind: 'redis' | 'postgres';
  url: string;
  /** Unique for this test file. */
  prefix: string;
}

/** What every backend of the queue port must do; `store` is called when the tests run. */
export function queueSuite(store: () => SuiteStore): void {
  let open: QueueBackend[] = [];
  let errors: Error[] = [];
  let type = '';
  let count = 0;

  const openOne = (options: Partial<OpenQueueOptions> = {}): QueueBackend => {
    const { kind, url, prefix } = store();
    const queue = openQueue({ kind, url, prefix, onError: (error) => errors.push(error), ...options });
    open.push(queue);
    return queue;
  };
  const enqueue = (queue: QueueBackend, ...list: Delivery[]): Promise<void> =>
    queue.jobs.enqueue(new Map([[type, list]]));

  beforeEach(() => {
    open = [];
    errors = [];
    type = `type-${++count}`;
  });
  afterEach(async () => {
    await Promise.all(open.map((queue) => queue.close()));
  });

  describe('deliveries', () => {
    test('arrive as they were sent, and are gone when they are over', async () => {
      const queue = openOne();
      const sent = delivery();
      const seen: Delivery[] = [];
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 2,
        handle: async (taken) => void seen.push(taken),
      });
      await consumer.ready;
      await enqueue(queue, sent);
      await until('arrival', () => seen.length === 1);
      expect(seen).toEqual([sent]);
      await until('the end', async () => (await queue.jobs.counts(type)).active === 0);
      expect(await queue.jobs.ids(type)).toEqual({ waiting: [], active: [] });
    });

    test('of several types are sent in one call and reach their own type only', async () => {
      const queue = openOne();
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

    test('with the same id stay one while they wait', async () => {
      const queue = openOne();
      const sent = delivery();
      await enqueue(queue, sent);
      await enqueue(queue, sent, delivery());
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 2, active: 0 });
      const many = deliveries(100);
      await enqueue(queue, ...many);
      await enqueue(queue, ...many);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 102, active: 0 });
    });

    test('run in slots, never more than that at once', async () => {
      const queue = openOne();
      await enqueue(queue, ...deliveries(90));
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
      const queue = openOne();
      queue.jobs.consume(type, {
        instance: 'a',
        slots: 1,
        handle: () => Promise.reject(new Error('a broken handler')),
      });
      await enqueue(queue, delivery());
      await until('the fault', () => errors.some(({ message }) => message === 'a broken handler'));
      await until('an empty queue', async () => {
        const { waiting, active } = await queue.jobs.counts(type);
        return waiting + active === 0;
      });
    });

    test('can be taken away while they wait, also out of a pack, but not while they run', async () => {
      const queue = openOne();
      const sent = deliveries(100);
      await enqueue(queue, ...sent);
      const alone = delivery();
      await enqueue(queue, alone);
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

    test('of a killed consumer stay listed until their lock is gone, and can then be removed', async () => {
      const { kind, url, prefix } = store();
      const queue = openOne();
      const sent = deliveries(2);
      await enqueue(queue, ...sent);
      const doomed = fork(join(import.meta.dirname, 'doomed-consumer.ts'), [kind, url, prefix, type, '1500'], {
        execArgv: ['--disable-warning=ExperimentalWarning'],
      });
      const taken: unknown[] = [];
      doomed.on('message', (id) => taken.push(id));
      await until('both taken', () => taken.length === 2);
      doomed.kill('SIGKILL');
      await once(doomed, 'exit');
      const ids = sent.map(({ id }) => id);
      await queue.jobs.remove(type, ids);
      expect(new Set((await queue.jobs.ids(type)).active)).toEqual(new Set(ids));
      await delay(1_700);
      await queue.jobs.remove(type, ids);
      expect(await queue.jobs.ids(type)).toEqual({ waiting: [], active: [] });
    });

    test('of a closing consumer may end within the grace; the others stay for the next one', async () => {
      const queue = openOne();
      const sent = deliveries(5);
      await enqueue(queue, ...sent);
      let done = 0;
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 2,
        handle: async () => {
          await delay(300);
          done++;
        },
      });
      await until('two running', () => consumer.running() === 2);
      await consumer.close(5_000);
      expect(done).toBe(2);
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 3, active: 0 });
      await consumer.close(5_000);
    });

    test('are shared: a second instance gets at least a quarter of the next 200', async () => {
      const queue = openOne();
      const seen: string[] = [];
      const consume = (instance: string) =>
        queue.jobs.consume(type, {
          instance,
          slots: 8,
          handle: async () => {
            seen.push(instance);
            await delay(5);
          },
        });
      await enqueue(queue, ...deliveries(500));
      consume('first');
      await until('the first at work', () => seen.length > 20);
      const from = seen.length;
      await consume('second').ready;
      await until('200 more', () => seen.length >= from + 200);
      const next = seen.slice(from, from + 200);
      expect(next.filter((instance) => instance === 'second').length).toBeGreaterThanOrEqual(50);
    });

    test('in a pack do not sit behind a slow one when somebody else is free', async () => {
      const queue = openOne();
      await enqueue(queue, ...deliveries(65));
      const release: (() => void)[] = [];
      const slow = queue.jobs.consume(type, {
        instance: 'slow',
        slots: 1,
        handle: () => new Promise((resolve) => release.push(resolve)),
      });
      await until('a pack taken', () => slow.held().length > 1);
      let done = 0;
      queue.jobs.consume(type, { instance: 'free', slots: 4, handle: async () => void done++ });
      await until('all but the slow one', () => done === 64, 5_000);
      expect(slow.held()).toHaveLength(1);
      expect((await queue.jobs.ids(type)).active).toEqual(slow.held());
      release[0]?.();
      await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0);
    });

    test('are asked for all the time while a slot is free', async () => {
      const queue = openOne();
      const consumer = queue.jobs.consume(type, { instance: 'a', slots: 1, handle: () => Promise.resolve() });
      await consumer.ready;
      await delay(6_000);
      expect(Date.now() - consumer.lastAskedAt()).toBeLessThan(5_500);
    });
  });

  describe('the marker', () => {
    test('is missing for a new type and stays once it is set', async () => {
      const queue = openOne();
      expect(await queue.jobs.hasMarker(type)).toBe(false);
      await queue.jobs.setMarker(type);
      expect(await queue.jobs.hasMarker(type)).toBe(true);
      expect(await openOne().jobs.hasMarker(type)).toBe(true);
    });
  });

  describe('reports', () => {
    test('sent before any reader is there are read, once, with the type they came from', async () => {
      const queue = openOne();
      const sent = completed(1);
      await queue.events.publish(type, [sent]);
      await Promise.all([2, 3, 4].map((value) => queue.events.publish(type, [completed(value)])));
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      const batch = await reader.read({ max: 100, blockMs: 1_000 });
      expect(batch.events[0]).toEqual({ workerType: type, body: sent });
      const values = valuesOf(batch);
      await batch.ack();
      values.push(...(await readValues(reader, 4 - values.length, 2_000)));
      expect(values.sort()).toEqual([1, 2, 3, 4]);
      expect((await reader.read({ max: 100, blockMs: 300 })).events).toEqual([]);
    });

    test('wake a waiting reader at once', async () => {
      const queue = openOne();
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      await reader.read({ max: 10, blockMs: 10 });
      const times: number[] = [];
      for (let at = 0; at < 5; at++) {
        const reading = reader.read({ max: 10, blockMs: 5_000 });
        await delay(100);
        const start = performance.now();
        await queue.events.publish(type, [completed(at)]);
        const batch = await reading;
        times.push(performance.now() - start);
        expect(valuesOf(batch)).toEqual([at]);
        await batch.ack();
      }
      expect(Math.min(...times)).toBeLessThan(100);
    });

    test('of a type that appears while a read waits are read within about a second', async () => {
      const queue = openOne();
      const types = [type];
      const late = `${type}-late`;
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => types });
      const reading = reader.read({ max: 10, blockMs: 5_000 });
      await delay(200);
      types.push(late);
      await queue.events.publish(late, [completed(7)]);
      const start = Date.now();
      expect((await reading).events.map(({ workerType }) => workerType)).toEqual([late]);
      expect(Date.now() - start).toBeLessThan(2_000);
    });

    test('that a reader took and did not acknowledge go to another one; none is lost', async () => {
      const queue = openOne({ claimIdleMs: 600 });
      await queue.events.publish(type, [1, 2, 3].map(completed));
      const dead = queue.events.reader({ consumer: 'dead', workerTypes: () => [type] });
      expect(valuesOf(await dead.read({ max: 100, blockMs: 1_000 }))).toEqual([1, 2, 3]);
      await dead.close();
      const reader = queue.events.reader({ consumer: 'alive', workerTypes: () => [type] });
      expect((await reader.read({ max: 100, blockMs: 100 })).events).toEqual([]);
      expect((await readValues(reader, 3, 5_000)).sort()).toEqual([1, 2, 3]);
      await delay(800);
      expect((await reader.read({ max: 100, blockMs: 300 })).events).toEqual([]);
    });

    test('reach readers exactly once while nobody fails, whatever the load', async () => {
      const queue = openOne();
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
      const queue = openOne();
      await queue.events.publish(type, [completed(1)]);
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [`${type}-silent`] });
      const reading = reader.read({ max: 10, blockMs: 20_000 });
      await delay(200);
      await queue.close();
      expect((await reading).events).toEqual([]);
      await expect(queue.events.publish(type, [completed(2)])).rejects.toThrow('closed');
    });
  });

  test('a store that is set up well passes the check', async () => {
    await expect(openOne().check()).resolves.toBeUndefined();
  });
}
