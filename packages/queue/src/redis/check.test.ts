import { expect, test } from '@jest/globals';
import { reasonsAgainst } from './check.ts';

const info = (version: string, policy: string, rest = ''): string =>
  `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory_policy:${policy}\r\n${rest}`;

test('a Redis of 6.2 or newer that evicts nothing is good', () => {
  for (const version of ['6.2.0', '7.0.15', '8.2.1']) expect(reasonsAgainst(info(version, 'noeviction'))).toEqual([]);
});

test('all reasons against a Redis are told at once', () => {
  expect(reasonsAgainst(info('6.0.16', 'allkeys-lru'))).toEqual([
    'Redis 6.0.16 is older than 6.2',
    'maxmemory-policy is allkeys-lru, which drops work: it must be noeviction',
  ]);
});

test('a replica and a cluster are refused', () => {
  const replica = info('7.0.0', 'noeviction').replace('role:master', 'role:slave');
  expect(reasonsAgainst(replica)).toEqual(['this Redis is a replica']);
  const cluster = info('7.0.0', 'noeviction').replace('redis_mode:standalone', 'redis_mode:cluster');
  expect(reasonsAgainst(cluster)).toEqual(['Redis Cluster is not supported']);
});
