import type { Delivery } from '../port.ts';

/** A delivery that was taken together with others, and the message it came in. */
export interface Member<Owner> {
  owner: Owner;
  delivery: Delivery;
}

/** Runs at most `slots` deliveries at once, in the order they came; the others wait here. */
export class Slots<Owner> {
  #slots: number;
  readonly #run: (member: Member<Owner>) => Promise<void>;
  #waiting: Member<Owner>[] = [];
  #running = 0;

  constructor(slots: number, run: (member: Member<Owner>) => Promise<void>) {
    this.#slots = slots;
    this.#run = run;
  }

  /** Changes how many may run; what runs beyond that goes on. */
  resize(slots: number): void {
    this.#slots = slots;
    while (this.#running < slots) {
      const next = this.#waiting.shift();
      if (!next) return;
      void this.#start(next);
    }
  }

  get running(): number {
    return this.#running;
  }

  add(member: Member<Owner>): void {
    if (this.#running < this.#slots) void this.#start(member);
    else this.#waiting.push(member);
  }

  /** Takes the waiting members of one owner (or all) out of the line. */
  takeWaiting(owner?: Owner): Member<Owner>[] {
    const taken = this.#waiting.filter((member) => owner === undefined || member.owner === owner);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((member) => !taken.includes(member));
    return taken;
  }

  async #start(member: Member<Owner>): Promise<void> {
    this.#running++;
    for (let next: Member<Owner> | undefined = member; next; next = this.#next()) await this.#run(next);
    this.#running--;
  }

  /** The next in line, unless fewer may run by now. */
  #next(): Member<Owner> | undefined {
    return this.#running > this.#slots ? undefined : this.#waiting.shift();
  }
}
