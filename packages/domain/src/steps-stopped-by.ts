import type { Progress } from '@connecta/contracts';
import { blocks } from './needs.ts';
import type { CompiledPlan } from './plan.ts';

/**
 * The steps that will not run because a step ended in error, near or far: none where the workflow deals with the error.
 * Of a stand-in, also those behind what it stands for.
 */
export function stepsStoppedBy(plan: CompiledPlan, failed: string, progress: Progress): string[] {
  const stopping = new Set<string>();
  for (let at: string | undefined = failed; at !== undefined; at = plan.steps.get(at)?.fallbackFor) {
    if (blocks(plan, at, progress)) stopping.add(at);
  }
  const stopped: string[] = [];
  // Steps stand behind what they need, so one pass finds all. What a condition or an edge skipped was not to run anyway.
  for (const [name, { needs }] of plan.steps) {
    const isOpen = progress[name] === undefined || progress[name] === 'blocked';
    if (!isOpen || !needs.some((need) => stopping.has(need))) continue;
    stopping.add(name);
    stopped.push(name);
  }
  return stopped;
}
