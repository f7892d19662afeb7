/** Everything that can be set about a queue; the defaults are the measured ones. */
export interface QueueOptions {
  /** Told about every fault that no caller hears of: broken connections, failed handlers, lost acknowledgements. */
  onError: (error: unknown) => void;
  /** Calls of {@link JobQueues} reject after this time. */
  enqueueTimeoutMs: number;
  /** Reports that a reader took and did not acknowledge for this long go to another one. */
  claimIdleMs: number;
  /** A delivery whose consumer died is locked for at most this long; live ones renew it every third of it. */
  lockMs: number;
  /** A consumer with free slots that got no answer for this long opens new connections. */
  stuckMs: number;
  /** Reports that may wait in memory for a store that is away. */
  maxPendingEvents: number;
  /** When deliveries travel together. */
  pack: PackOptions;
  /** URLs of accounts that somebody else keeps (see {@link StaticAccounts}); without it they are made here. */
  staticAccounts?: Readonly<Record<string, string>>;
}

export interface PackOptions {
  /** More deliveries than this for one type in one call travel in packs. */
  above: number;
  /** Deliveries in a pack, at most; 1 switches packs off. */
  size: number;
  /** Members of a pack that wait for a slot of their consumer for this long are put back, one by one, for others. */
  putBackMs: number;
}

export const QUEUE_DEFAULTS: Omit<QueueOptions, 'onError'> = {
  enqueueTimeoutMs: 2_000,
  claimIdleMs: 15_000,
  lockMs: 90_000,
  stuckMs: 30_000,
  maxPendingEvents: 100_000,
  pack: { above: 32, size: 8, putBackMs: 250 },
};
