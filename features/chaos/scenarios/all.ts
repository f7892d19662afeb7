import { badWorkers } from './bad-workers.ts';
import { crowd } from './crowd.ts';
import { graphs } from './graphs.ts';
import { hanging } from './hanging.ts';
import type { Scenario } from './scenario.ts';
import { schedules } from './schedules.ts';
import { webhooks } from './webhooks.ts';

/** Every scenario. Those of a group run at once: none ends what another needs. */
export const SCENARIOS: readonly (readonly Scenario[])[] = [
  [hanging, crowd, webhooks, graphs],
  ...badWorkers.map((scenario) => [scenario]),
  [schedules],
];
