/** What a run has started, to be ended in the opposite order however the run goes. */
export class Opened {
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #stopping: AbortSignal;

  constructor(stopping: AbortSignal) {
    this.#stopping = stopping;
  }

  /** Waits for what starts and keeps it. Throws when the run is to end meanwhile. */
  async add<Running extends { stop(): Promise<void> }>(start: Promise<Running>): Promise<Running> {
    const running = await start;
    this.#stops.push(() => running.stop());
    this.#stopping.throwIfAborted();
    return running;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }
}
