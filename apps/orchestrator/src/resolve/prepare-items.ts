import { stepOfItem } from '@connecta/domain';
import type { Store, WorkJob } from '@connecta/store';
import type { NewItem } from '../engine/draft/items.ts';
import { prepareStep, type Prepared } from '../engine/steps/prepare-step.ts';
import type { LoadedStep } from './load-step.ts';
import type { Item } from './list-of.ts';
import { refuseForgedFiles } from './refuse-forged-files.ts';
import type { Values } from './values.ts';

/** Evaluates what items begin with, each with its key. */
export async function prepareItems(
  { store, values }: { store: Store; values: Values },
  { step }: LoadedStep,
  job: WorkJob,
  items: readonly Item[],
): Promise<NewItem[]> {
  const one = stepOfItem(step);
  const evaluated = items.map((item): Prepared => {
    if (!item.ok) return { is: 'error', error: item.error };
    const { each, scope } = item;
    return prepareStep({ name: job.step, step: one, scope, defaultInput: () => each.item });
  });
  const checked = await refuseForgedFiles(store, { step, job }, evaluated);
  const prepared: NewItem[] = [];
  for (const [at, item] of items.entries()) {
    const key = item.ok && step.forEach?.key !== undefined ? { key: `${item.each.key as string | number}` } : {};
    prepared.push({ ...key, prepared: await withStoredInput(values, job, checked[at] as Prepared) });
  }
  return prepared;
}

/** An input that is too large to travel inline travels as a blob. */
export async function withStoredInput(values: Values, job: WorkJob, prepared: Prepared): Promise<Prepared> {
  if (prepared.is !== 'begin') return prepared;
  return { ...prepared, input: await values.stored(prepared.input, ownerOf(job)) };
}

/** Whose blob a job's large value is. */
export function ownerOf({ clientId, id: jobId, createdBy }: WorkJob): Parameters<Values['stored']>[1] {
  return { clientId, jobId, createdBy };
}
