/** How long a job may stay in each state; all in milliseconds. */
export interface Timers {
  /** invoked → queued, while the type has a live instance. */
  ackMs: number;
  /** queued → started, counted only while the type has a free slot. */
  startMs: number;
  /** started → completed; a report of progress extends it by as much again. */
  completeMs: number;
  /** The most that progress may extend a run to, from its start. */
  completeCapMs: number;
  /** A started attempt that no live instance lists for this long is lost. */
  holdMs: number;
  /** Heartbeat intervals that an instance may miss before it is lost. */
  missedHeartbeats: number;
}

export const DEFAULT_TIMERS: Timers = {
  ackMs: 10_000,
  startMs: 10 * 60_000,
  completeMs: 30 * 60_000,
  completeCapMs: 24 * 3_600_000,
  holdMs: 30_000,
  missedHeartbeats: 3,
};
