import type { Held } from '../../src/ledger.ts';
import type { Flow } from '../flow.ts';
import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';

/** What an injection struck. */
export interface Strike {
  /** How much of the victim's own work under way it hit; 0: it missed. */
  readonly hit: number;
  /** What is counted there. */
  readonly of: string;
  /** When, in milliseconds since 1970. */
  readonly atMs: number;
  /** Attempts that it hit, whose recovery is to be told. */
  readonly attempts?: readonly Held[];
  /** What else was seen. */
  readonly seen?: Readonly<Record<string, unknown>>;
}

/** What an injection has in its hands. */
export interface Injection {
  readonly world: ChaosWorld;
  readonly random: Random;
  readonly flow: Flow;
}

/** Something that goes wrong while orders are under way. */
export interface Fault {
  /** As in the table of docs/faults.md. */
  readonly id: string;
  readonly title: string;
  /** How often in a full run. */
  readonly full?: number;
  /** Does it once, while its victim has work; resolves when what was broken is whole again. @throws Error */
  inject(injection: Injection): Promise<Strike>;
}
