import type { ConnectionOptions } from 'bullmq';

/** The three queues of the floor, one a task, in the order in which an order passes through them. */
export const floorQueues = { add: 'add', multiply: 'multiply', subtract: 'subtract' } as const;

/** A job of the floor: the number so far, and which order it belongs to. */
export interface FloorJob {
  readonly orderId: string;
  readonly value: number;
}

/** Jobs that only lead to the next one leave nothing behind; the last one keeps the order's result. */
export const forgotten = { removeOnComplete: true, removeOnFail: true } as const;

/** Tasks in flight at once, for each queue. */
export const floorConcurrency = 50;

export const floorConnection = (url: string): ConnectionOptions => ({ url, maxRetriesPerRequest: null });
