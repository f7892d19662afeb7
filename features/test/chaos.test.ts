import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { History } from '../chaos/history.ts';
import { FAULTS, SCENARIOS, runChaos } from '../chaos/run-chaos.ts';
import { ChaosWorld } from '../chaos/world.ts';

/** The short form of `npm run chaos`: every fault once, fewer orders. Another seed by CHAOS_SEED. */
const seed = Number(process.env['CHAOS_SEED'] ?? 20);

let world: ChaosWorld;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connecta-chaos-history-'));
  world = await ChaosWorld.start({ orchestrators: 2, runners: 3, slots: 10 });
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

test('Given orders that flow, when every fault hits them, then none is lost and each step has one result', async () => {
  const history = new History(join(folder, 'history.jsonl'));
  const report = await runChaos(world, { seed, orders: 200, repeats: 1, only: undefined }, history);
  await history.close();
  expect(report.orders).toBe(200);
  expect(report.injections).toBe(FAULTS.length);
  expect(report.scenarios.map(({ id }) => id)).toEqual(SCENARIOS.map(({ id }) => id));
  expect(report.attemptsAStep).toBeLessThan(2);
});
