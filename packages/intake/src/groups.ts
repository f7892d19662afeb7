interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Runs work in groups: whatever arrives while a group runs goes into the next one, so a single item does not wait and
 * many share one statement. States: idle → scheduled → running → (scheduled | idle).
 */
export class Groups<Item, Result> {
  readonly #run: (items: Item[]) => Promise<Result[]>;
  readonly #weigh: (item: Item) => number;
  readonly #maxWeight: number;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #busy = false;

  /** `run` answers one result an item; when it throws, every item of the group fails with that error. */
  constructor(options: {
    run: (items: Item[]) => Promise<Result[]>;
    weigh: (item: Item) => number;
    maxWeight: number;
  }) {
    this.#run = options.run;
    this.#weigh = options.weigh;
    this.#maxWeight = options.maxWeight;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      // What else arrives in this turn of the event loop comes along.
      setImmediate(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        const results = await this.#run(group.map(({ item }) => item));
        group.forEach(({ resolve }, i) => resolve(results[i] as Result));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#busy = false;
  }

  #take(): Waiting<Item, Result>[] {
    let weight = 0;
    let count = 0;
    for (const { item } of this.#waiting) {
      weight += this.#weigh(item);
      if (count > 0 && weight > this.#maxWeight) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
