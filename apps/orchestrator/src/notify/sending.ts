import type { Delivery } from '@connecta/store';

/** What a sender needs of a delivery. */
export type Message = Pick<Delivery, 'id' | 'target' | 'signedAs' | 'body'>;

/** What became of one attempt; without an error it was taken. */
export interface Attempted {
  status: number | null;
  error: string | null;
  /** The receiver will never take messages again. */
  gone?: boolean;
  /** How long the receiver asks to be left alone. */
  retryAfterMs?: number;
}
