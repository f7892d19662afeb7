import { QUEUE_DEFAULTS, type QueueOptions } from './options.ts';
import type { QueueBackend } from './port.ts';
import { PostgresBackend } from './postgres/backend.ts';
import { RedisBackend } from './redis/backend.ts';
import { throttled } from './waiting.ts';

export interface OpenQueueOptions extends Partial<Omit<QueueOptions, 'onError'>> {
  kind: 'redis' | 'postgres';
  /** `redis://…`, or `postgresql://…` of the queue's own database. */
  url: string;
  /** First part of all keys (Redis) and schemas (Postgres). */
  prefix?: string;
  /** Told about faults that no caller hears of; the same message at most once in 10 s. */
  onError: (error: Error) => void;
}

/** Opens the queue's store; connections are made when they are first needed. Close it last. */
export function openQueue({ kind, url, prefix = 'connecta', onError, ...options }: OpenQueueOptions): QueueBackend {
  const all: QueueOptions = { ...QUEUE_DEFAULTS, ...options, onError: throttled(onError) };
  switch (kind) {
    case 'redis':
      return new RedisBackend(url, prefix, all);
    case 'postgres':
      return new PostgresBackend(url, prefix, all);
  }
}
