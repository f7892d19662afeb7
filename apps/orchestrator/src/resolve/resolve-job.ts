import { readHeadList, type Store, type WorkJob } from '@connecta/store';
import { prepareStep, type Prepared } from '../engine/steps/prepare-step.ts';
import { itemsOf } from './expand-items.ts';
import { listOf } from './list-of.ts';
import type { LoadedStep } from './load-step.ts';
import { prepareItems, withStoredInput } from './prepare-items.ts';
import { refuseForgedFiles } from './refuse-forged-files.ts';
import { withRelated } from './related-items.ts';
import type { Values } from './values.ts';

/** Evaluates what a job begins with: a step's, or that of an item that begins anew. */
export async function resolveJob(
  { store, values }: { store: Store; values: Values },
  loaded: LoadedStep,
  job: WorkJob,
): Promise<Prepared> {
  const { step, scope, defaultInput } = loaded;
  if (job.item === 0) {
    const evaluated = prepareStep({ name: job.step, step, scope, defaultInput });
    const [checked = evaluated] = await refuseForgedFiles(store, { step, job }, [evaluated]);
    return withStoredInput(values, job, checked);
  }
  const { clientId } = job;
  const kept = await readHeadList(store, job.orderId, job.step);
  const list = listOf(store, job, loaded, await itemsOf(values, { input: kept?.list ?? [], clientId }));
  const items = await withRelated(list, [list.itemAt(job.item - 1)]);
  const [item] = await prepareItems({ store, values }, loaded, job, items);
  if (!item) throw new Error('the list of the item cannot be read');
  return item.prepared;
}
