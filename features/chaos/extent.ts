/** How large a run is: all that differs between the form that runs with the tests, the usual one, and the full one. */
export interface Extent {
  /** The hold time (30 s in production): what a lost worker costs. */
  readonly holdMs: number;
  readonly orders: number;
  /** How often each fault is injected, where the fault itself does not say. */
  readonly repeats: number;
  /** Each fault as often as it says. */
  readonly full: boolean;
  /** How long Redis is away. */
  readonly redisAwayMs: number;
  /** How long an orchestrator stands still in a transaction. */
  readonly frozenMs: number;
  /** How long a share of the database's answers vanish. */
  readonly losingMs: number;
  /** Old deliveries that are made again. */
  readonly replayed: number;
  /** Orders that wait for a first worker. */
  readonly herd: number;
  /** Random graphs. */
  readonly graphs: number;
  /** Rounds of a crowd of calls on one order. */
  readonly crowds: number;
  /** Orders whose ends are told to bad receivers. */
  readonly webhooks: number;
  /** Waits in the end until the queue's locks of dead workers, 90 s long, have run out, too. */
  readonly untilUnlocked: boolean;
}

/** With the tests: every fault once. */
export const SHORT: Extent = {
  ...{ holdMs: 3000, orders: 200, repeats: 1, full: false },
  ...{ redisAwayMs: 3000, frozenMs: 6500, losingMs: 1000, replayed: 50 },
  ...{ herd: 200, graphs: 500, crowds: 1, webhooks: 20, untilUnlocked: false },
};

/** By hand: minutes. */
export const USUAL: Extent = {
  ...{ holdMs: 5000, orders: 2000, repeats: 2, full: false },
  ...{ redisAwayMs: 10_000, frozenMs: 8000, losingMs: 3000, replayed: 1000 },
  ...{ herd: 2000, graphs: 2000, crowds: 20, webhooks: 100, untilUnlocked: true },
};

/** Over a night: production's hold time, and each fault as often as it deserves. */
export const FULL: Extent = {
  ...{ holdMs: 30_000, orders: 20_000, repeats: 5, full: true },
  ...{ redisAwayMs: 60_000, frozenMs: 8000, losingMs: 10_000, replayed: 1000 },
  ...{ herd: 10_000, graphs: 10_000, crowds: 1000, webhooks: 200, untilUnlocked: true },
};

/** How often a worker says that it lives. */
export const heartbeatMsOf = ({ holdMs }: Pick<Extent, 'holdMs'>): number => Math.min(1000, holdMs / 4);

/** How long a function of F5 keeps its process from everything else. */
export const blockMsOf = ({ holdMs }: Pick<Extent, 'holdMs'>): number => 3 * holdMs;
