import { badWorkers } from './bad-workers.ts';
import { crowd } from './crowd.ts';
import { graphs } from './graphs.ts';
import { hanging } from './hanging.ts';
import type { Scenario } from './scenario.ts';
import { schedules } from './schedules.ts';
import { webhooks } from './webhooks.ts';

/**
 * Every scenario. Those of a group run at once: none ends what another needs. A crowd is alone: beside hundreds of graphs
 * that are asked after, this process, through which all that goes to the stores passes, is what keeps its calls waiting.
 */
export const SCENARIOS: readonly (readonly Scenario[])[] = [
  [hanging, webhooks, graphs],
  [crowd],
  ...badWorkers.map((scenario) => [scenario]),
  [schedules],
];
