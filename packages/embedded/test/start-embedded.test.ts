import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { DataDirInUseError, startEmbedded } from '../src/index.ts';
import type { Embedded, EmbeddedService } from '../src/index.ts';
import { findRedis } from '../src/redis/server.ts';
import { ownDataDir } from './own-data-dir.ts';

const dir = ownDataDir();
const given = { PATH: process.env['PATH'] };
let embedded: Embedded;
beforeAll(async () => {
  embedded = await startEmbedded({ dataDir: dir.path, env: given });
}, 60_000);
afterAll(async () => {
  await embedded.stop();
  dir.remove();
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const testWithRedis = process.env['CI'] === 'true' || findRedis(given.PATH ?? '') ? test : test.skip;

function redisService(): EmbeddedService {
  const { redis } = embedded.services;
  if (!redis) throw new Error('no Redis was started');
  return redis;
}

/** The answer to one inline command. */
async function redisAnswers(url: string, command: string): Promise<string> {
  const { port, password } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`);
  const said = Buffer.concat(await socket.toArray()).toString();
  const [greeting = '', ...answer] = said.trimEnd().split('\r\n');
  return greeting === '+OK' ? answer.slice(0, -1).join(' ') : greeting;
}

const databaseUrl = (): string => embedded.env['DATABASE_URL'] ?? '';

test('Postgres refuses who does not know the password', async () => {
  const url = new URL(databaseUrl());
  url.password = 'wrong';
  await expect(query(url.toString(), 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test('Postgres commits to disk before it answers', async () => {
  const rows = await query(databaseUrl(), "SELECT current_setting('synchronous_commit') s, current_setting('fsync') f");
  expect(rows).toEqual([{ s: 'on', f: 'on' }]);
});

test('the secrets are for the owner alone', () => {
  expect(statSync(join(dir.path, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test('a second stack on the same directory is refused and told who owns it', async () => {
  const second = startEmbedded({ dataDir: dir.path, env: given });
  await expect(second).rejects.toThrow(DataDirInUseError);
  await expect(second).rejects.toThrow(String(process.pid));
});

test('Postgres that is killed comes back on the same port with what was committed', async () => {
  await query(databaseUrl(), 'CREATE TABLE kept AS SELECT 42 AS answer');
  const before = embedded.services.postgres?.pid;
  embedded.services.postgres?.kill('SIGKILL');
  await embedded.services.postgres?.untilUp();
  expect(embedded.services.postgres?.pid).not.toBe(before);
  expect(await query(databaseUrl(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('every server that is killed again and again comes back', async () => {
  for (let round = 0; round < 3; round += 1) {
    for (const service of Object.values(embedded.services)) {
      const before = service.pid;
      expect(service.kill('SIGKILL')).toBe(true);
      await service.untilUp();
      expect(service.pid).not.toBe(before);
    }
  }
});

testWithRedis('Redis keeps what it was told over a kill, unless it is restarted empty', async () => {
  const redis = redisService();
  expect(await redisAnswers(redis.url, 'SET kept yes')).toBe('+OK');
  // The append-only file is written out every second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  redis.kill('SIGKILL');
  await redis.untilUp();
  expect(await redisAnswers(redis.url, 'EXISTS kept')).toBe(':1');
  await redis.restart({ empty: true });
  expect(await redisAnswers(redis.url, 'EXISTS kept')).toBe(':0');
});

testWithRedis('Redis refuses who does not know the password, and never evicts', async () => {
  const redis = redisService();
  const stranger = new URL(redis.url);
  stranger.password = 'wrong';
  expect(await redisAnswers(stranger.toString(), 'PING')).toContain('-WRONGPASS');
  expect(await redisAnswers(redis.url, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
});

test('a server that is halted stays down until it is restarted', async () => {
  const { postgres } = embedded.services;
  await postgres?.halt();
  expect(postgres?.pid).toBeUndefined();
  await expect(query(databaseUrl(), 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  await postgres?.restart();
  expect(await query(databaseUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('after a stop and a start all is found at the same place', async () => {
  const { env } = embedded;
  await embedded.stop();
  embedded = await startEmbedded({ dataDir: dir.path, env: given });
  expect(embedded.env).toEqual(env);
  expect(await query(databaseUrl(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('what the environment names is not embedded, and the queue gets a database of its own', async () => {
  const other = ownDataDir();
  const blobs = embedded.env['BLOB_CONNECTION_STRING'];
  const env = { ...given, DATABASE_URL: databaseUrl(), BLOB_CONNECTION_STRING: blobs, QUEUE_BACKEND: 'postgres' };
  const second = await startEmbedded({ dataDir: other.path, env });
  try {
    expect(second.services).toEqual({});
    expect(second.env).toMatchObject({
      DATABASE_URL: databaseUrl(),
      BLOB_CONNECTION_STRING: blobs,
      QUEUE_BACKEND: 'postgres',
    });
    const [row] = await query(second.env['QUEUE_DATABASE_URL'] ?? '', 'SELECT current_database() AS name');
    expect(row).toEqual({ name: 'connecta_queue' });
  } finally {
    await second.stop();
    other.remove();
  }
});
