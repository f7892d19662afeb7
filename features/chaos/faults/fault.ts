import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';

/** Something that goes wrong while orders are under way. */
export interface Fault {
  /** As in the table of docs/faults.md. */
  readonly id: string;
  readonly title: string;
  /** Does it once; resolves when what was broken is whole again. */
  inject(world: ChaosWorld, random: Random): Promise<void>;
  /** What must hold after the run, beyond what must hold of every order. @throws Error */
  check?(world: ChaosWorld): Promise<void>;
}
