import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SHORT } from '../chaos/extent.ts';
import { History } from '../chaos/history.ts';
import { FAULTS, runChaos, verify } from '../chaos/run-chaos.ts';
import { SCENARIOS } from '../chaos/scenarios/all.ts';
import { ChaosWorld } from '../chaos/world.ts';

/** The short form of `npm run chaos`: every fault once, fewer orders. Another seed by CHAOS_SEED. */
const seed = Number(process.env['CHAOS_SEED'] ?? 20);

let world: ChaosWorld;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connecta-chaos-history-'));
  world = await ChaosWorld.start(SHORT);
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

test('orders that flow while every fault hits them are all completed, each step once', async () => {
  // Given a system with three orchestrators, three runners, an HTTP worker, and orders that flow in
  const history = new History(join(folder, 'history.jsonl'));
  const { orders, repeats } = SHORT;
  // When every fault hits work under way
  const report = await runChaos(world, { seed, orders, repeats }, history);
  await history.close();
  // Then none is lost, and each step has one result and one effect
  expect(report.kept?.orders).toBeGreaterThanOrEqual(orders);
  expect(report.kept?.attemptsAStep).toBeLessThan(2);
  expect(report.faults.map(({ id, injections }) => [id, injections])).toEqual(FAULTS.map(({ id }) => [id, 1]));
  expect(report.scenarios.map(({ id }) => id)).toEqual(SCENARIOS.flat().map(({ id }) => id));
  // And late results were refused
  expect(report.kept?.lateReports).toBeGreaterThan(0);
  // And the history's file tells all of it again
  expect(verify(history.file)).toEqual(report.kept);
});
