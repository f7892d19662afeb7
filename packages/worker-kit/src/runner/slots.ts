/**
 * Bounds how many handlers run at once in this process: after a pause, a new consumer takes work while the old one's
 * still runs, and each of them counts its own slots only.
 */
export class Slots {
  readonly #count: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get free(): number {
    return Math.max(0, this.#count - this.#taken - this.#waiting.length);
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#taken < this.#count) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#taken--;
    }
  }
}
