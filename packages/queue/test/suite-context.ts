import { afterEach, beforeEach } from '@jest/globals';
import { openQueue, type Delivery, type OpenQueueOptions, type QueueBackend } from '../src/index.ts';

export interface SuiteStore {
  kind: 'redis' | 'postgres';
  url: string;
  /** Unique for this test file. */
  prefix: string;
}

/** What each test of the shared suite has: a worker type of its own, and queues that are closed when it ends. */
export interface SuiteContext {
  store: () => SuiteStore;
  readonly type: string;
  readonly errors: readonly Error[];
  openOne(options?: Partial<OpenQueueOptions>): QueueBackend;
  enqueue(queue: QueueBackend, ...list: Delivery[]): Promise<void>;
}

export function suiteContext(store: () => SuiteStore): SuiteContext {
  const state = { open: [] as QueueBackend[], errors: [] as Error[], type: '', count: 0 };
  beforeEach(() => {
    Object.assign(state, { open: [], errors: [], type: `type-${++state.count}` });
  });
  afterEach(async () => {
    await Promise.all(state.open.map((queue) => queue.close()));
  });
  return {
    store,
    get type() {
      return state.type;
    },
    get errors() {
      return state.errors;
    },
    openOne: (options = {}) => {
      const { kind, url, prefix } = store();
      // Calls may take as long as a busy machine needs; what they do about a store that is away has tests of its own.
      const patient = { enqueueTimeoutMs: 30_000 };
      const queue = openQueue({
        kind,
        url,
        prefix,
        onError: (error) => state.errors.push(error),
        ...patient,
        ...options,
      });
      state.open.push(queue);
      return queue;
    },
    enqueue: (queue, ...list) => queue.jobs.enqueue(new Map([[state.type, list]])),
  };
}
