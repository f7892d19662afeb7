/**
 * Every error code that a gateway may answer, with its HTTP status: the one exhaustive place.
 * Codes are stable; titles and details may change.
 */
export const PROBLEMS = {
  bad_request: { status: 400, title: 'The request is not valid' },
  malformed_json: { status: 400, title: 'The body is not JSON' },
  json_too_deep: { status: 400, title: 'The JSON is nested too deeply' },
  invalid_workflow: { status: 422, title: 'The workflow is not valid' },
  invalid_settings: { status: 422, title: 'The settings do not fit the function' },
  invalid_input: { status: 422, title: 'The input is not acceptable' },
  unknown_task: { status: 422, title: 'A task does not exist' },
  unknown_workflow: { status: 422, title: 'The workflow does not exist' },
  unknown_blob: { status: 422, title: 'A blob does not exist' },
  unknown_function: { status: 422, title: 'The function does not exist' },
  invalid_schedule: { status: 422, title: 'The schedule is not valid' },
  no_workflow: { status: 422, title: 'Nothing says what to run' },
  unauthenticated: { status: 401, title: 'No valid credential was sent' },
  forbidden: { status: 403, title: 'The credential does not allow this' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, title: 'No acceptable representation' },
  conflict: { status: 409, title: 'The state does not allow this' },
  name_taken: { status: 409, title: 'The name is taken' },
  in_use: { status: 409, title: 'Something still refers to this' },
  task_cycle: { status: 409, title: 'Tasks would wait for each other' },
  incompatible: { status: 409, title: 'Others are built on what would change' },
  stale_attempt: { status: 409, title: 'Another attempt holds this job' },
  lease_invalid: { status: 409, title: 'The lease is not valid' },
  already_created: { status: 409, title: 'An earlier request made it, and its secret is shown once' },
  already_answered: { status: 409, title: 'It was answered otherwise' },
  already_ended: { status: 409, title: 'It has already ended' },
  offset_mismatch: { status: 409, title: 'The upload is at another offset' },
  gone: { status: 410, title: 'It existed and is gone' },
  precondition_failed: { status: 412, title: 'It was changed meanwhile' },
  too_large: { status: 413, title: 'Too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  range_not_satisfiable: { status: 416, title: 'The range cannot be served' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key was used with another body' },
  precondition_required: { status: 428, title: 'If-Match is required' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  checksum_mismatch: { status: 460, title: 'The bytes do not match their hash' },
  internal: { status: 500, title: 'Internal error' },
  worker_unavailable: { status: 503, title: "The worker type's API does not answer" },
  worker_misbehaved: { status: 502, title: "The worker type's API answered something wrong" },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One fault of a request: where (JSON pointer or YAML place), what, and a code where a program may act on it. */
export interface Fault {
  path: string;
  message: string;
  code?: string | undefined;
  /** In the text that was sent, from 1; told of YAML. */
  line?: number | undefined;
  column?: number | undefined;
}

/** RFC 9457 `application/problem+json` with Connecta's members. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string | undefined;
  code: ProblemCode;
  errors?: Fault[] | undefined;
  [extension: string]: unknown;
}

/** Thrown where a request cannot be served; the one error that gateways turn into a problem document as it is. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  /** Further members of the document, e.g. `winningAttempt`. */
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      faults?: readonly Fault[];
      extensions?: Record<string, unknown>;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.faults = more.faults ?? [];
    this.extensions = more.extensions ?? {};
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  toDocument(): ProblemDocument {
    const { status, title } = PROBLEMS[this.code];
    return {
      ...this.extensions,
      type: `urn:connecta:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      ...(this.faults.length > 0 ? { errors: [...this.faults] } : {}),
    };
  }
}

/** Codes that the engine itself sets as the error of a job or of its order. */
export type EngineErrorCode =
  | 'ack_timeout'
  | 'start_timeout'
  | 'complete_timeout'
  | 'lost'
  | 'poison'
  | 'blocked'
  | 'cancelled'
  | 'invalid_output'
  | 'output_failed'
  | 'plan_refused'
  | 'expression_failed'
  | 'expression_too_costly'
  | 'rejected'
  | 'wait_timeout'
  | 'order_failed'
  | 'order_cancelled'
  | 'no_for_each'
  | 'item_failed'
  | 'duplicate_key'
  | 'too_many_items'
  | 'too_many_rounds'
  | 'unreadable_value'
  | 'file_not_allowed';
