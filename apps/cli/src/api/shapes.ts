import type { FeApiOperations } from '@connecta/contracts';

/** The JSON that an operation answers with this status. */
export type Answer<Name extends keyof FeApiOperations, Status extends number> = FeApiOperations[Name] extends {
  responses: Record<Status, { content: { 'application/json': infer Body } }>;
}
  ? Body
  : never;

/** The JSON that an operation takes. */
export type Body<Name extends keyof FeApiOperations> = FeApiOperations[Name] extends {
  requestBody?: { content: { 'application/json': infer Sent } };
}
  ? Sent
  : never;

export type Order = Answer<'getOrder', 200>;
export type JobTrace = Order['jobs'][string];
export type OrderSummary = Answer<'listOrders', 200>['items'][number];
export type OrderRequest = Body<'createOrder'>;
export type Profile = Answer<'getProfile', 200>;
export type ProfileWrite = Body<'createProfile'>;
export type WorkflowSummary = Answer<'listWorkflows', 200>['items'][number];
export type WorkerTypeDetail = Answer<'getWorker', 200>;
export type ApiKey = Answer<'listApiKeys', 200>['items'][number];
export type Blob = Answer<'getBlob', 200>;

/** RFC 9457 as fe-api sends it. */
export type ProblemDocument = NonNullable<Answer<'createOrders', 200>['items'][number]['problem']>;
export type Fault = NonNullable<ProblemDocument['errors']>[number];

/** A list's page. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export type Schedule = Answer<'getSchedule', 200>;
export type ScheduleWrite = Body<'createSchedule'>;
export type Tick = Answer<'listTicks', 200>['items'][number];
export type TaskGraph = Answer<'getTaskGraph', 200>;
export type RerunRequest = NonNullable<Body<'rerunOrder'>>;
export type RerunPlan = Answer<'rerunOrder', 200>;
export type WorkerCheck = Answer<'checkWorker', 200>;
export type Job = Answer<'listJobs', 200>['items'][number];
export type LogLine = Answer<'listJobLog', 200>['items'][number];
