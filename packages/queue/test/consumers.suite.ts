import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { deliveries, until } from './deliveries.ts';
import type { SuiteContext } from './suite-context.ts';

/** What consumers do to each other, and what is left of a dead one. */
export function consumersSuite(ctx: SuiteContext): void {
  describe('deliveries and their consumers', () => {
    test('of a killed consumer stay listed until their lock is gone, and can then be removed', async () => {
      const { type } = ctx;
      const { kind, url, prefix } = ctx.store();
      const queue = ctx.openOne();
      const sent = deliveries(2);
      await ctx.enqueue(queue, ...sent);
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
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = deliveries(5);
      await ctx.enqueue(queue, ...sent);
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
      const { type } = ctx;
      const queue = ctx.openOne();
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
      await ctx.enqueue(queue, ...deliveries(800));
      consume('first');
      await until('the first at work', () => seen.length > 20);
      await consume('second').ready;
      const from = seen.length;
      await until('200 more', () => seen.length >= from + 200);
      const next = seen.slice(from, from + 200);
      expect(next.filter((instance) => instance === 'second').length).toBeGreaterThanOrEqual(50);
    });

    test('are not taken along by consumers that close while they wait', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const ran: string[] = [];
      // Each by a name of its own: nobody looks for what another one was given.
      let opened = 0;
      const open = () =>
        queue.jobs.consume(type, {
          instance: `consumer-${++opened}`,
          slots: 4,
          handle: ({ id }) => {
            ran.push(id);
            return Promise.resolve();
          },
        });
      const sent = deliveries(60);
      for (let at = 0; at < sent.length; at += 3) {
        const consumer = open();
        await consumer.ready;
        await ctx.enqueue(queue, sent[at]!, sent[at + 1]!);
        await until('both ran', () => ran.includes(sent[at]!.id) && ran.includes(sent[at + 1]!.id));
        // While it waits again the next one comes; this process stands still, so it is here but not read when it closes.
        const sending = ctx.enqueue(queue, sent[at + 2]!);
        for (let turn = 0; turn < 3; turn++) await setImmediate();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        await Promise.all([consumer.close(5_000), sending]);
      }
      open();
      // Far sooner than anything that was taken along could be found by its lock.
      await until('all ran', () => new Set(ran).size === sent.length, 15_000);
      expect(ran).toHaveLength(sent.length);
      await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0, 15_000);
    });

    test('in a pack do not sit behind a slow one when somebody else is free', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      await ctx.enqueue(queue, ...deliveries(65));
      const release: (() => void)[] = [];
      const slow = queue.jobs.consume(type, {
        instance: 'slow',
        slots: 1,
        handle: () => new Promise((resolve) => release.push(resolve)),
      });
      await until('a pack taken', () => slow.held().length > 1);
      let done = 0;
      queue.jobs.consume(type, {
        instance: 'free',
        slots: 4,
        handle: () => {
          done++;
          return Promise.resolve();
        },
      });
      await until('all but the slow one', () => done === 64, 45_000);
      expect(slow.held()).toHaveLength(1);
      await until('only the slow one listed', async () => {
        const { active } = await queue.jobs.ids(type);
        return active.length === 1 && active[0] === slow.held()[0];
      });
      release[0]?.();
      await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0);
    });

    test('that were let go are held until their handler has ended, and a closing consumer waits for it', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const sent = deliveries(1);
      const release: (() => void)[] = [];
      const consumer = queue.jobs.consume(type, {
        instance: 'a',
        slots: 2,
        handle: (_delivery, letGo) => {
          letGo();
          return new Promise((resolve) => release.push(resolve));
        },
      });
      await ctx.enqueue(queue, ...sent);
      await until('a running handler', () => release.length === 1);
      if (ctx.store().kind === 'redis')
        await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0);
      expect(consumer.held()).toEqual([sent[0]?.id]);
      let closed = false;
      const closing = consumer.close(30_000).then(() => (closed = true));
      await delay(200);
      expect(closed).toBe(false);
      release[0]?.();
      await closing;
      expect(await queue.jobs.counts(type)).toEqual({ waiting: 0, active: 0 });
    });

    test('are asked for all the time while a slot is free', async () => {
      const { type } = ctx;
      const queue = ctx.openOne();
      const consumer = queue.jobs.consume(type, { instance: 'a', slots: 1, handle: () => Promise.resolve() });
      await consumer.ready;
      const askedAt = consumer.lastAskedAt();
      await until('it asks again', () => consumer.lastAskedAt() > askedAt);
    });
  });
}
