import type { ClientFact, ProfileFact, WorkflowFact } from '@connecta/store';
import { Cache } from './cache.ts';

/** As many of each kind at most; a fact is some hundred bytes. */
const MAX_KEPT = 10_000;

/** Clients, workflows and profiles as they were in one generation, by the names they are asked for by. */
export class KeptFacts {
  readonly generation: string;
  readonly clients = new Cache<string, ClientFact>(MAX_KEPT);
  readonly workflows = new Cache<string, WorkflowFact>(MAX_KEPT);
  readonly profiles = new Cache<string, ProfileFact>(MAX_KEPT);

  constructor(generation: string) {
    this.generation = generation;
  }
}

/**
 * What a process knows by heart: facts of the generation that it met last, a guess for whoever has them confirmed. That
 * something does not exist is not kept: whoever asks for random names would fill it, and what is new would have to end it.
 */
export class FactMemory {
  #kept: KeptFacts | undefined;

  get kept(): KeptFacts | undefined {
    return this.#kept;
  }

  /** Where facts of a generation are kept from now on; those of another one are dropped. */
  of(generation: string): KeptFacts {
    if (this.#kept?.generation !== generation) this.#kept = new KeptFacts(generation);
    return this.#kept;
  }

  /** Drops what is known to be of the past. */
  forget(generation: string | null): void {
    if (this.#kept?.generation === generation) this.#kept = undefined;
  }
}
