/** A system under measurement, as its own client sees it. Every method resolves with what the client really knows. */
export interface Contestant {
  /**
   * Hands in `count` orders in the fastest way the system offers and resolves with their ids once the client knows that
   * all are done. Calls `submitted` when the last one was handed in.
   */
  placeMany(count: number, submitted: () => void): Promise<readonly string[]>;
  /** Hands one order in without waiting for its end. */
  submitOne(): Promise<string>;
  /** Places one order and resolves once the client holds its result. */
  placeOne(): Promise<{ readonly id: string; readonly result: unknown }>;
  /** Resolves once the client knows that these orders, and all that it placed before, are done. */
  untilDone(ids: readonly string[]): Promise<void>;
  /** The results of orders that are done, by id. */
  resultsOf(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  /** Asks the system's store again for one order's result. */
  lookUp(id: string): Promise<unknown>;
  close(): Promise<void>;
}
