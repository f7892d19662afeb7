import { afterAll, beforeAll, describe } from '@jest/globals';
import { queueSuite } from './queue.suite.ts';
import { redisCommand, RedisServer } from './redis-server.ts';

(redisCommand() ? describe : describe.skip)('the queue on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.kill());
  queueSuite(() => ({ kind: 'redis', url: server.url, prefix: 'suite' }));
});
