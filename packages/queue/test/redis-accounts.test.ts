import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openQueue, type QueueBackend } from '../src/index.ts';
import { completed, deliveries, readValues, until } from './deliveries.ts';
import { EchoProcess } from './echo-process.ts';
import { redisCommand, RedisServer } from './redis-server.ts';

const PREFIX = 'accounts';
const PASSWORD = 'p@ss/word:1';

(redisCommand() ? describe : describe.skip)("a worker type's Redis account", () => {
  let server: RedisServer;
  let queue: QueueBackend;
  let worker: EchoProcess | undefined;

  beforeAll(async () => {
    server = await RedisServer.start();
    queue = openQueue({ kind: 'redis', url: server.url, prefix: PREFIX, onError: () => undefined });
  });
  afterEach(async () => {
    await worker?.stop();
    worker = undefined;
  });
  afterAll(async () => {
    await queue.close();
    await server.kill();
  });

  const startWorker = async (type: string): Promise<EchoProcess> => {
    const { url } = await queue.accounts.assert(type, PASSWORD);
    expect(new URL(url).username).toBe(`${PREFIX}-${type}`);
    worker = new EchoProcess('redis', url, PREFIX, type);
    return worker.ready();
  };
  const roundTrip = async (type: string, total: number): Promise<void> => {
    const reader = queue.events.reader({ consumer: type, workerTypes: () => [type] });
    await queue.jobs.enqueue(new Map([[type, deliveries(total)]]));
    expect(new Set(await readValues(reader, total))).toEqual(new Set(Array.from({ length: total }, (_n, at) => at)));
    await reader.close();
  };

  test('is enough to take work, end it and report, packs included', async () => {
    const running = await startWorker('first');
    await roundTrip('first', 10);
    await roundTrip('first', 200);
    expect(running.messages.filter((line) => line.startsWith('error'))).toEqual([]);
    const { url } = await queue.accounts.assert('first', PASSWORD);
    const own = openQueue({ kind: 'redis', url, prefix: PREFIX, onError: () => undefined });
    await own.check();
    await own.events.publish('first', [completed(1)]);
    await own.close();
  });

  test("cannot touch another type's keys, see names of keys, or command the server", async () => {
    await queue.jobs.enqueue(new Map([['other', deliveries(3)]]));
    await queue.events.publish('other', [completed(1)]);
    const { url } = await queue.accounts.assert('mine', PASSWORD);
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    const job = (await queue.jobs.ids('other')).waiting[0] ?? '';
    const refused = [
      () => redis.get(`${PREFIX}:other:filled`),
      () => redis.hgetall(`${PREFIX}:other:${job}`),
      () => redis.lrange(`${PREFIX}:other:wait`, 0, -1),
      () => redis.xadd(`${PREFIX}:other:reports`, '*', 'd', '[]'),
      () => redis.xrange(`${PREFIX}:other:reports`, '-', '+'),
      () => redis.rename(`${PREFIX}:mine:a`, `${PREFIX}:other:a`),
      () => redis.eval(`return redis.call('LLEN', '${PREFIX}:other:wait')`, 0),
      () => redis.set('elsewhere', '1'),
      () => redis.keys('*'),
      () => redis.scan(0),
      () => redis.randomkey(),
      () => redis.dbsize(),
      () => redis.flushall(),
      () => redis.flushdb(),
      () => redis.config('GET', '*'),
      () => redis.client('LIST'),
      () => redis.call('CLIENT', 'KILL', 'TYPE', 'normal'),
      () => redis.acl('WHOAMI'),
      () => redis.acl('LIST'),
      () => redis.script('FLUSH'),
      () => redis.call('MONITOR'),
      () => redis.subscribe('all'),
      () => redis.call('SHUTDOWN', 'NOSAVE'),
      () => redis.call('REPLICAOF', 'NO', 'ONE'),
      () => redis.call('MODULE', 'LIST'),
      () => redis.call('FUNCTION', 'LIST'),
    ];
    try {
      for (const command of refused) await expect(command()).rejects.toThrow(/NOPERM|can't access/);
      expect(await redis.set(`${PREFIX}:mine:x`, '1')).toBe('OK');
    } finally {
      redis.disconnect();
    }
  });

  test('that was taken away is refused', async () => {
    const { url } = await queue.accounts.assert('gone', PASSWORD);
    await queue.accounts.remove('gone');
    const redis = new Redis(url, { retryStrategy: () => null });
    redis.on('error', () => undefined);
    await expect(redis.ping()).rejects.toThrow();
    redis.disconnect();
  });

  test('is there again after Redis lost it, and its workers go on', async () => {
    const running = await startWorker('lost');
    await roundTrip('lost', 5);
    await server.kill();
    await server.start();
    await until('the account', async () =>
      (await server.ask((redis) => redis.acl('USERS'))).includes(`${PREFIX}-lost`),
    );
    await roundTrip('lost', 20);
    expect(running.alive).toBe(true);
  });

  test('may be kept by somebody else: the URLs that are set up are handed out', async () => {
    const staticAccounts = { special: 'redis://s:p@h:1', '*': 'redis://all:p@h:1' };
    const managed = openQueue({ kind: 'redis', url: server.url, staticAccounts, onError: () => undefined });
    expect(await managed.accounts.assert('special', 'x')).toEqual({ url: 'redis://s:p@h:1' });
    expect(await managed.accounts.assert('any', 'x')).toEqual({ url: 'redis://all:p@h:1' });
    await managed.close();
  });
});
