import type { Readable } from 'node:stream';
import type { BlobRef, FunctionBehaviour, JobId, JsonValue, OrderId, OrderState } from '@connecta/contracts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What a function returns: its result, and intermediate data that later attempts and steps get back as `context`. */
export interface FunctionResult {
  /** JSON, at most 64 levels deep; over 8 KiB it becomes an `application/json` blob by itself. */
  value: JsonValue;
  context?: BlobRef;
  /**
   * Of an item of a list (`forEach`): further items, by which the list goes on. What the list has already is left out, and
   * items that have ended are computed again when they are related to a new one.
   */
  newItems?: JsonValue[];
}

/** A scoped logger: every line carries job, attempt and function. */
export interface FunctionLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What is told of a new blob. */
export interface NewBlob {
  mediaType: string;
  fileName?: string;
}

/** The blobs of a job: reads only what its lease covers, writes new ones that belong to the order's client. */
export interface JobBlobs {
  /**
   * Streams a blob. The bytes are compared with `ref.size` and `ref.sha256`: the stream ends with an error when they
   * differ, so nothing that was read may be used for good before its end.
   */
  open(ref: BlobRef): Promise<Readable>;
  /** Stores bytes as a new blob; resolves when they are safe. A stream is never held in memory whole. */
  create(blob: NewBlob, source: Readable | Uint8Array): Promise<BlobRef>;
}

/** A child order: work for other workers, placed by a running job and owned by the same client. */
export interface ChildOrderRequest {
  /** Exactly one of `workflow` (its name), `tasks` and `steps`. */
  workflow?: string;
  tasks?: string[];
  steps?: { [step: string]: JsonValue };
  input?: JsonValue;
  params?: { [name: string]: JsonValue };
  /** Makes a repeated call, also by a later attempt, find the same order. Default: job id and the request's hash. */
  idempotencyKey?: string;
}

/** A child order that has ended. */
export interface ChildOrder {
  id: OrderId;
  state: Extract<OrderState, 'completed' | 'failed' | 'cancelled'>;
  result: JsonValue;
  error?: { code: string; message: string };
}

/** Everything that a function sees of its job. */
export interface FunctionContext<Settings = unknown> {
  /** The profile's settings at the pinned revision, checked against `settingsSchema`; not to be changed. */
  readonly settings: Settings;
  /** The value; a blob input is its `BlobRef`, a legacy file `{file: {share, path}}`. Checked against `inputSchema`. */
  readonly input: JsonValue;
  readonly params: { readonly [name: string]: JsonValue };
  /** The context blob that an earlier attempt or step returned, or the last checkpoint of an earlier attempt. */
  readonly context?: BlobRef | undefined;
  /** Of a step that needs several: the contexts of those that have one, by need. */
  readonly contexts?: { readonly [need: string]: BlobRef } | undefined;
  /** Aborted when the job was cancelled, lost to another attempt, or the runner must end. */
  readonly signal: AbortSignal;
  readonly log: FunctionLog;
  readonly job: { readonly jobId: JobId; readonly attempt: number; readonly traceparent: string };
  readonly blobs: JobBlobs;
  /**
   * Tells how far the work is (0 to 1); reports are thinned out to four a second, one with a checkpoint is always sent.
   * A checkpoint is the next attempt's `context`.
   */
  readonly progress: (fraction: number, checkpoint?: BlobRef) => Promise<void>;
  /** Places a child order at be-api and waits for its end, until `signal` is aborted. */
  readonly placeOrder: (request: ChildOrderRequest) => Promise<ChildOrder>;
}

/** A function as its author writes it. */
export interface FunctionDefinition<Settings = unknown> extends FunctionBehaviour {
  /** `group.verb`: `image.resize`. */
  readonly name: string;
  /** Semantic version; a new one when results change. */
  readonly version: string;
  readonly description?: string;
  /** Properties marked `"writeOnly": true` are encrypted at rest and never read back. */
  readonly settingsSchema: JsonSchema;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  /** True when equal input, settings and version always give an equal result. Default false. */
  readonly cacheable?: boolean;
  /**
   * What to do with an input that is exactly one `application/json` blob. `value` (the default): it is read and
   * parsed, since a large JSON result of an earlier step travels so. `blob`: the function gets the `BlobRef`.
   */
  readonly jsonBlobInput?: 'value' | 'blob';
  /**
   * What to do with a legacy file (`{file: {share, path}}`) that is the input, or lies directly in a list or object.
   * `blob` (the default): the function gets a blob with the file's bytes, fetched by a child order. `file`: the
   * function gets the reference, for workers that have the shares themselves.
   */
  readonly fileInput?: 'blob' | 'file';
  run(context: FunctionContext<Settings>): Promise<FunctionResult>;
}

/** A function of any settings: what a worker type lists. */
export type WorkerFunction = FunctionDefinition;

const FUNCTION_NAME = /^[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*$/;

/**
 * Declares a function. `Settings` is the author's word for what `settingsSchema` lets through.
 *
 * @throws TypeError when the name is not in lower case words joined by dots and dashes.
 */
export function defineFunction<Settings>(definition: FunctionDefinition<Settings>): WorkerFunction {
  if (!FUNCTION_NAME.test(definition.name)) throw new TypeError(`"${definition.name}" is not a function name`);
  return definition;
}
