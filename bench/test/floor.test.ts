import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testServices } from '@connecta/embedded';
import { openFloorClient } from '../src/floor/client.ts';
import { startFloor } from '../src/floor/start.ts';
import type { RunningFloor } from '../src/floor/start.ts';
import { measureBatch, measureLatency, measureSingles, verify } from '../src/client/measure.ts';
import type { Contestant } from '../src/client/contestant.ts';
import { cpuSecondsOf, pssBytesOf } from '../src/measure/processes.ts';

const services = await testServices();
await services.close();
const whereRedisIs = services.redisUrl === undefined ? describe.skip : describe;

whereRedisIs('the floor', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'connecta-floor-'));
  let floor: RunningFloor;
  let client: Contestant;
  beforeAll(async () => {
    floor = await startFloor({ dataDir, searchPath: process.env['PATH'] ?? '' });
    client = await openFloorClient(floor);
  });
  afterAll(async () => {
    await client.close();
    await floor.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('takes each of many orders through its three tasks', async () => {
    const { ids, ms, submitMs } = await measureBatch(client, 120);
    expect(ms).toBeGreaterThan(submitMs);
    await verify(client, ids, 120);
  });

  test('takes orders one by one', async () => {
    const { ids } = await measureSingles(client, { orders: 20, inFlight: 4 });
    await verify(client, ids, 20);
    expect(await measureLatency(client, 5)).toHaveLength(5);
  });

  test('is seen with what it uses', () => {
    expect(cpuSecondsOf(floor.groups())).toEqual({ redis: expect.any(Number), worker: expect.any(Number) });
    expect(pssBytesOf(floor.groups())['worker']).toBeGreaterThan(10_000_000);
  });
});
