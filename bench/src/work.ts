/** The work that every contestant does: a number through three tasks, 5 → add 2 → times 2 → minus 1 → 13. */
export const work = { input: 5, result: 13 } as const;

/** An order came back with something else than it must: a measurement of wrong answers is worth nothing. */
export class WrongResultError extends Error {
  readonly code = 'wrong_result';
  readonly orderId: string;
  constructor(orderId: string, result: unknown) {
    super(`order ${orderId} ended with ${JSON.stringify(result)} instead of ${work.result}`);
    this.orderId = orderId;
  }
}

/** Throws {@link WrongResultError} unless the result is 13. */
export function checkResult(orderId: string, result: unknown): void {
  if (result !== work.result) throw new WrongResultError(orderId, result);
}
