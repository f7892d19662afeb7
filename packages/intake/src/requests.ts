import type { ClientId, JobId, JsonValue, OrderId, Problem, Strategy, WorkflowVersionId } from '@connecta/contracts';

/** An order as somebody asks for it: at most one of workflow, tasks and steps, at most one of input and blobId. */
export interface OrderRequest {
  /** A workflow's name, or `name@version`. */
  workflow?: string;
  tasks?: string[];
  steps?: { [step: string]: JsonValue };
  /** With `steps`, the step whose result is the order's result. */
  output?: string;
  input?: JsonValue;
  blobId?: string;
  params?: { [name: string]: JsonValue };
  /** How much it may cost; kept as the param of this name. */
  strategy?: Strategy;
  /** Called when the order ends. */
  webhook?: string;
  /** The blob that root steps get as their context. */
  contextId?: string;
  /** `false`: no step uses the result cache; `{ttl}`: every step of a cacheable function does. */
  cache?: false | { ttl: string };
}

/** One request with what the gateway knows about its sender. */
export interface IntakeRequest {
  /** Parsed JSON, its nesting bounded by the gateway; everything else about it is checked here. */
  order: JsonValue;
  /** Whose order it is; the gateway has checked that the sender may speak for this client. */
  client: { id: ClientId } | { name: string };
  createdBy: string;
  traceparent: string;
  /** The running job that places a child order. */
  parentJobId?: JobId | undefined;
  /** May name files of legacy shares as input. */
  mayNameFiles?: boolean | undefined;
  /** Runs an order again: its version of its workflow, which the request does not name. */
  rerun?: Rerun | undefined;
}

/** The order that is to run again. */
export interface Rerun {
  of: OrderId;
  /** The step from which on everything is to run. */
  from?: string | undefined;
  version: { id: WorkflowVersionId; named: boolean; definition: { [name: string]: JsonValue } };
  cacheTtlMs?: number | undefined;
}

/** An Idempotency-Key: `scope` is the sender and the call, `bodyHash` a hash of what was sent. */
export interface IdempotencyKey {
  scope: string;
  key: string;
  bodyHash: string;
}

/** What became of one request; an accepted one is committed. `replayed`: an earlier request under the same key made it. */
export type Outcome = { ok: true; id: OrderId; replayed: boolean } | { ok: false; problem: Problem };
