import { filesBeyond, type PlannedStep } from '@connecta/domain';
import { findProducedFiles, type Store, type WorkJob } from '@connecta/store';
import { fileNotAllowed, strangeFiles } from '../engine/steps/named-files.ts';
import type { Prepared } from '../engine/steps/prepare-step.ts';

/** Ends the beginnings that name a file which the order was not placed with and no worker made. One query for all. */
export async function refuseForgedFiles(
  store: Store,
  { step, job }: { step: PlannedStep; job: WorkJob },
  prepared: readonly Prepared[],
): Promise<Prepared[]> {
  const strange = prepared.map((one) =>
    one.is === 'begin' ? strangeFiles(step, one, { input: job.orderInput, params: job.params }) : [],
  );
  const named = filesBeyond(
    strange.flat().map((file) => ({ file })),
    [],
  );
  if (named.length === 0) return [...prepared];
  const produced = await findProducedFiles(store, job.orderId, named);
  return prepared.map((one, index) => {
    const [forged] = filesBeyond(
      (strange[index] ?? []).map((file) => ({ file })),
      produced,
    );
    return forged ? fileNotAllowed(forged) : one;
  });
}
