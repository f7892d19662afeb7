import type { HistoryEvent, JobError, JobId, JsonValue, OrderId, WaitsFor } from '@connecta/contracts';
import { fingerprintOf, timersOfJob, type GivenContext, type PlannedStep, type TaskStep } from '@connecta/domain';
import type { NewJob, OtherJob } from '@connecta/store';
import type { Beginning } from './prepare-step.ts';

/** Which job: of a step, or of one item of it. */
export interface JobPlace {
  id: JobId;
  orderId: OrderId;
  name: string;
  item: number;
}

type Place = Pick<NewJob, 'id' | 'orderId' | 'step' | 'item'>;

const placeOf = ({ id, orderId, name, item }: JobPlace): Place => ({ id, orderId, step: name, item });

/** What a task begins with: its fingerprint covers all of it. */
export interface TaskInput {
  input: JsonValue;
  /** As its function sees them. */
  params: { [name: string]: JsonValue };
  given: GivenContext | null;
}

/** A worker's job. */
export function taskJob(at: JobPlace, step: TaskStep, { input, params, given }: TaskInput): NewJob {
  const { workerType, function: name, profileId, profileRevision, functionVersion } = step;
  const pins = { workerType, function: name, profileId, profileRevision };
  return {
    ...placeOf(at),
    ...pins,
    ...{ input, timers: timersOfJob(step), ...(given === null ? {} : passedOn(given)) },
    fingerprint: fingerprintOf({ ...pins, functionVersion, params, input, given }),
  };
}

/** A job that waits: as its step says, or for the end of an order of its own. What it is given of context it passes on. */
export function waitingJob(
  at: JobPlace,
  step: PlannedStep,
  { begin, given }: { begin: Beginning; given: GivenContext | null },
): OtherJob {
  const { input, dueInMs, dueAt } = begin;
  const due = { ...(dueInMs === undefined ? {} : { dueInMs }), ...(dueAt === undefined ? {} : { dueAt }) };
  return { ...placeOf(at), kind: step.kind, state: 'waiting', attempt: 1, input, ...due, ...passedOn(given) };
}

/** The head of a step's items, or a step whose values must be read first. */
export function headJob(at: JobPlace, kind: 'head' | 'resolve', given: GivenContext | null): OtherJob {
  const work = kind === 'head' ? 'expand' : 'resolve';
  return { ...placeOf(at), kind, state: 'waiting', attempt: 1, input: null, work, ...passedOn(given) };
}

const passedOn = (given: GivenContext | null): Pick<OtherJob, 'context' | 'contextIn'> => ({
  context: given?.context ?? null,
  contextIn: given,
});

/** A job that ends with its beginning: what it says could not be evaluated. */
export function failedJob(at: JobPlace, step: PlannedStep, error: JobError): OtherJob {
  return { ...placeOf(at), kind: step.kind, state: 'error', attempt: 1, input: null, error };
}

/** What the history tells of a job that waits. */
export function waitingEvent(job: OtherJob, waitsFor: WaitsFor): Extract<HistoryEvent, { type: 'job' }> {
  const notBefore = job.dueAt ?? (job.dueInMs === undefined ? undefined : isoIn(job.dueInMs));
  return {
    ...{ type: 'job', step: job.step, jobId: job.id, attempt: job.attempt, state: 'waiting', waitsFor },
    ...(job.item === 0 ? {} : { item: job.item }),
    ...(notBefore === undefined ? {} : { notBefore }),
  };
}

/** What a step's job waits for once it has begun. */
export function waitsForOf(step: PlannedStep): WaitsFor {
  if (step.kind === 'wait') return step.wait.for;
  return step.kind === 'order' ? 'order' : 'values';
}

function isoIn(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
