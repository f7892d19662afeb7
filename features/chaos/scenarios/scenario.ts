import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';

/** A fault with orders of its own, and what must come of it. */
export interface Scenario {
  /** As in the table of docs/faults.md. */
  readonly id: string;
  readonly title: string;
  /** Resolves with what was seen, in a few words. @throws Error when something does not hold */
  readonly run: (world: ChaosWorld, random: Random) => Promise<string>;
}

/** How long an order of a scenario may take to end. */
export const ENDED_MS = 120_000;

/** @throws Error unless it holds */
export function must(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(text);
}
