/** The store did not answer in time, or is away: try again later. Whether the call had an effect is unknown. */
export class QueueUnavailableError extends Error {
  readonly code = 'queue_unavailable';
  constructor(what: string, cause?: unknown) {
    super(`the queue's store did not answer: ${what}`, { cause });
    this.name = 'QueueUnavailableError';
  }
}

/** The store answers but must not be used as it is set up: an operator has to act. */
export class UnusableQueueError extends Error {
  readonly code = 'queue_unusable';
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(`the queue's store cannot be used: ${reasons.join('; ')}`);
    this.name = 'UnusableQueueError';
    this.reasons = reasons;
  }
}

/** The backend was closed while the call was pending. */
export class QueueClosedError extends Error {
  readonly code = 'queue_closed';
  constructor() {
    super('the queue was closed');
    this.name = 'QueueClosedError';
  }
}

/** The store has been away for so long that no more reports are held in memory. */
export class EventBacklogError extends Error {
  readonly code = 'event_backlog';
  readonly pending: number;
  constructor(pending: number) {
    super(`${pending} reports are already waiting for the queue's store`);
    this.name = 'EventBacklogError';
    this.pending = pending;
  }
}
