import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openQueue, QueueUnavailableError, type OpenQueueOptions, type QueueBackend } from '../src/index.ts';
import { forgetReaders } from '../src/redis/forget-readers.ts';
import { completed, deliveries, readValues, until } from './deliveries.ts';
import { EchoProcess } from './echo-process.ts';
import { redisCommand, RedisServer } from './redis-server.ts';
import { SilentProxy } from './silent-proxy.ts';

const PREFIX = 'faults';

(redisCommand() ? describe : describe.skip)('with Redis', () => {
  let server: RedisServer;
  let open: QueueBackend[] = [];
  let workers: EchoProcess[] = [];
  let type = '';
  let count = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(() => {
    type = `type-${++count}`;
  });
  afterEach(async () => {
    await Promise.all([...workers.map((worker) => worker.stop()), ...open.map((queue) => queue.close())]);
    workers = [];
    open = [];
  });
  afterAll(() => server.kill());

  const openOne = (options: Partial<OpenQueueOptions> = {}): QueueBackend => {
    const queue = openQueue({ kind: 'redis', url: server.url, prefix: PREFIX, onError: () => undefined, ...options });
    open.push(queue);
    return queue;
  };
  const startWorker = (url = server.url, ...args: string[]): Promise<EchoProcess> => {
    const worker = new EchoProcess('redis', url, PREFIX, type, ...args);
    workers.push(worker);
    return worker.ready();
  };
  /** Sends deliveries 0…n-1 and waits for a report of each. */
  const roundTrip = async (queue: QueueBackend, reading: ReturnType<typeof readValues>, total: number) => {
    await queue.jobs.enqueue(new Map([[type, deliveries(total)]]));
    expect(new Set(await reading)).toEqual(new Set(Array.from({ length: total }, (_none, at) => at)));
  };

  test('emptied, consumers and readers that wait go on with what is enqueued next', async () => {
    const queue = openOne();
    await queue.jobs.setMarker(type);
    const worker = await startWorker();
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type, `${type}-b`] });
    await roundTrip(queue, readValues(reader, 10), 10);
    for (let round = 0; round < 3; round++) {
      const reading = readValues(reader, 20);
      await delay(150);
      await server.ask((redis) => redis.flushall());
      expect(await queue.jobs.hasMarker(type)).toBe(false);
      await roundTrip(queue, reading, 20);
    }
    expect(worker.alive).toBe(true);
  });

  test('an id without its message can be removed like a delivery', async () => {
    const queue = openOne();
    const [lost, kept] = deliveries(2);
    await queue.jobs.enqueue(new Map([[type, [kept!]]]));
    await server.ask((redis) => redis.lpush(`${PREFIX}:${type}:active`, lost!.id));
    expect(await queue.jobs.ids(type)).toEqual({ waiting: [kept!.id], active: [lost!.id] });
    await queue.jobs.remove(type, [lost!.id]);
    expect(await queue.jobs.ids(type)).toEqual({ waiting: [kept!.id], active: [] });
  });

  test('emptied, a delivery that runs ends, is not run twice by its instance, and its report arrives', async () => {
    const queue = openOne();
    const sent = deliveries(1);
    const release: (() => void)[] = [];
    queue.jobs.consume(type, {
      instance: 'a',
      slots: 2,
      handle: async () => {
        await new Promise<void>((resolve) => release.push(resolve));
        await queue.events.publish(type, [completed(0)]);
      },
    });
    await queue.jobs.enqueue(new Map([[type, sent]]));
    await until('the start', () => release.length === 1);
    await server.ask((redis) => redis.flushall());
    await queue.jobs.enqueue(new Map([[type, sent]]));
    await until('the second taken', async () => (await queue.jobs.counts(type)).waiting === 0);
    release[0]?.();
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
    expect(await readValues(reader, 1)).toEqual([0]);
    expect(release).toHaveLength(1);
    await until('an empty queue', async () => (await queue.jobs.counts(type)).active === 0);
  });

  test('killed and started again empty, everything connects again and no pending report is lost', async () => {
    const queue = openOne();
    const worker = await startWorker();
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
    await roundTrip(queue, readValues(reader, 10), 10);
    await server.kill();
    const start = Date.now();
    await expect(queue.jobs.enqueue(new Map([[type, deliveries(1)]]))).rejects.toThrow(QueueUnavailableError);
    expect(Date.now() - start).toBeLessThan(20_000);
    let published = false;
    const publishing = queue.events.publish(type, [100, 101].map(completed)).then(() => (published = true));
    const empty = await reader.read({ max: 10, blockMs: 1_000 });
    expect(empty.events).toEqual([]);
    await delay(3_000);
    expect(published).toBe(false);
    await server.start();
    await publishing;
    expect((await readValues(reader, 2)).sort()).toEqual([100, 101]);
    await until('enqueue works', () =>
      queue.jobs.hasMarker(type).then(
        (marker) => !marker,
        () => false,
      ),
    );
    await roundTrip(queue, readValues(reader, 20), 20);
    expect(worker.alive).toBe(true);
    expect(await worker.lastAsked()).toBeLessThan(60_000);
  });

  test('frozen for a while, calls are refused in time and work goes on afterwards', async () => {
    const queue = openOne();
    const worker = await startWorker();
    const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
    await roundTrip(queue, readValues(reader, 5), 5);
    server.pause();
    const start = Date.now();
    await expect(queue.jobs.enqueue(new Map([[type, deliveries(1)]]))).rejects.toThrow(QueueUnavailableError);
    await expect(queue.jobs.counts(type)).rejects.toThrow(QueueUnavailableError);
    expect(Date.now() - start).toBeLessThan(20_000);
    server.resume();
    await delay(300);
    await roundTrip(queue, readValues(reader, 10), 10);
    expect(worker.alive).toBe(true);
  });

  test('behind connections that went silent, a worker opens new ones and gets work again', async () => {
    const proxy = await SilentProxy.to(server.port);
    try {
      const worker = await startWorker(`redis://127.0.0.1:${proxy.port}`, '2000');
      const queue = openOne();
      const reader = queue.events.reader({ consumer: 'r', workerTypes: () => [type] });
      await roundTrip(queue, readValues(reader, 5), 5);
      expect(proxy.silence()).toBeGreaterThan(1);
      await queue.jobs.enqueue(new Map([[type, deliveries(5)]]));
      expect((await readValues(reader, 5, 60_000)).sort()).toEqual([0, 1, 2, 3, 4]);
      expect(worker.messages.some((line) => /no answer|Socket timeout/.test(line))).toBe(true);
    } finally {
      proxy.close();
    }
  }, 40_000);

  test('out of memory, reports wait until there is room; enqueue is refused', async () => {
    const queue = openOne();
    await queue.events.publish(type, [completed(0)]);
    await queue.jobs.counts(type);
    await server.ask((redis) => redis.config('SET', 'maxmemory', '1mb'));
    await expect(queue.jobs.enqueue(new Map([[type, deliveries(1)]]))).rejects.toThrow('OOM');
    let published = false;
    const publishing = queue.events.publish(type, [completed(1)]).then(() => (published = true));
    await delay(500);
    expect(published).toBe(false);
    await server.ask((redis) => redis.config('SET', 'maxmemory', '0'));
    await publishing;
  });

  test('that may evict keys, the check refuses it', async () => {
    const queue = openOne();
    await server.ask((redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    await expect(queue.check()).rejects.toThrow('noeviction');
    await server.ask((redis) => redis.config('SET', 'maxmemory-policy', 'noeviction'));
    await queue.check();
  });

  test('readers that are long gone are forgotten, unless they owe an acknowledgement', async () => {
    const queue = openOne();
    const key = `${PREFIX}:${type}:reports`;
    await queue.events.publish(type, [completed(1)]);
    const owing = queue.events.reader({ consumer: 'owing', workerTypes: () => [type] });
    await owing.read({ max: 10, blockMs: 500 });
    const gone = queue.events.reader({ consumer: 'gone', workerTypes: () => [type] });
    await gone.read({ max: 10, blockMs: 50 });
    await delay(50);
    await server.ask((redis) => forgetReaders(redis, [key], 'orchestrator', 20));
    const consumers = await server.ask((redis) => redis.xinfo('CONSUMERS', key, 'orchestrator'));
    expect(JSON.stringify(consumers)).toContain('owing');
    expect(JSON.stringify(consumers)).not.toContain('gone');
  });

  test('more pending reports than allowed are refused', async () => {
    const queue = openOne({ maxPendingEvents: 2 });
    const first = queue.events.publish(type, [1, 2].map(completed));
    await expect(queue.events.publish(type, [completed(3)])).rejects.toMatchObject({ code: 'event_backlog' });
    await first;
    await queue.events.publish(type, [completed(3)]);
  });
});
