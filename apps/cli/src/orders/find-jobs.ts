import type { Api } from '../api/api.ts';
import type { Job, Order } from '../api/shapes.ts';
import { CliError, EXIT, UsageError } from '../failures.ts';

/** A list may have many thousands of items: nobody reads the logs of more jobs at once. */
const MOST_JOBS = 1_000;

/** The jobs of an order, or of one of its steps; `step[3]` is the third item of a step that runs for each. @throws CliError */
export async function findJobs(api: Api, orderId: string, step?: string): Promise<Job[]> {
  const page = (cursor: { cursor?: string }) =>
    api.client.GET('/v1/orders/{id}/jobs', { params: { path: { id: orderId }, query: { limit: 500, ...cursor } } });
  const jobs = await api.list<Job>(page, MOST_JOBS);
  if (step === undefined) return jobs;
  const [, name = step, item] = /^(.*)\[(\d+)\]$/.exec(step) ?? [];
  const found = jobs.filter((job) => job.step === name && (item === undefined || job.item === Number(item)));
  if (found.length > 0) return found;
  const known = [...new Set(jobs.map((job) => job.step))].join(', ') || 'none yet';
  throw new CliError(EXIT.notFound, `The order has no job of the step '${step}' (steps with jobs: ${known}).`);
}

/** The one job that waits for a person; of several, `step` says which. @throws CliError */
export function waitingJob(order: Order, jobs: readonly Job[], step: string | undefined): Job {
  const waiting = jobs.filter(
    ({ state, kind, step: name }) =>
      state === 'waiting' && kind === 'wait' && (order.jobs[name]?.wait ?? 'approval') === 'approval',
  );
  const [first, ...others] = waiting;
  if (!first) throw new CliError(EXIT.conflict, 'Nothing of this order waits for a decision now.');
  if (others.length === 0) return first;
  const names = waiting.map(({ step: name, item }) => (item > 0 ? `${name}[${item}]` : name)).join(', ');
  throw new UsageError(
    step === undefined
      ? `Several steps wait for a decision: say which with --step (${names}).`
      : `Several jobs of '${step}' wait: ${names}.`,
  );
}
