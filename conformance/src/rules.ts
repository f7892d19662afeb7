/** The rules of the protocol that the kit can check, by their numbers in docs/protocol.md. */
export const RULES = {
  1: 'registers, and tries again until it is registered',
  2: 'sends only what the OpenAPI document allows',
  3: 'gives a sign of life at least every three heartbeat intervals',
  4: 'waits longer and longer while be-api is away, and goes on when it is back',
  5: 'registers again when be-api says that it is unknown or gone',
  6: 'never claims more than its free slots, under a new request id each time',
  7: 'repeats a claim whose answer was lost under the same request id',
  8: 'runs a job that it was given twice once',
  9: 'acknowledges a claimed job in time, or reports on it',
  10: 'does not run a job whose acknowledgement is refused',
  11: 'completes a job with its result under its lease, whatever new members its message has',
  12: 'sends an end again, unchanged, until it is recorded',
  13: 'takes a refused end (409) as final and goes on',
  14: 'fails with a kind, a code and a message',
  15: 'says that it holds a job for as long as it runs',
  16: 'stops a cancelled job, and is free for the next',
  17: 'stops a job that another attempt has taken over',
  18: 'reads the blobs of a job under its lease, again when that breaks off',
  19: 'never works on bytes that are not what their reference says',
  20: 'stores what is over 8 KiB as a blob, under one id until it is stored',
  21: 'leaves a checkpoint, and goes on from it',
  22: 'takes no more when it is told to drain, finishes, and leaves',
  23: 'does the same on SIGTERM, and ends with 0',
  24: 'serves its profiles: list, create, read, replace, delete, revisions',
  25: 'refuses settings that do not fit, stale writes and strangers',
  26: 'tells be-api of each change of a profile',
} as const;

export type Rule = keyof typeof RULES;
export type Verdict =
  | { state: 'passed' }
  /** `not-applicable`: the rule is about calls that a worker of this transport does not make. */
  | { state: 'failed' | 'skipped' | 'not-applicable'; reason: string };

/** How a worker gets its jobs. */
export type Transport = 'http' | 'bullmq';

/** The rules of claims and of answers to reports, and what a queue has in their place. */
const HTTP_ONLY: { readonly [rule in Rule]?: string } = {
  6: 'a queue is not claimed from: its consumer takes as many jobs as it has slots',
  7: 'a queue is not claimed from: what was on its way when a connection broke is still in it',
  9: 'what was taken from a queue needs no acknowledgement; heartbeats say that it is held',
  10: 'what was taken from a queue needs no acknowledgement that could be refused',
  13: 'a report on the event stream is not answered',
};

/** What became of each rule: the first failure of a rule stays. */
export class Verdicts {
  readonly #verdicts = new Map<Rule, Verdict>();

  pass(rule: Rule): void {
    if (this.#verdicts.get(rule)?.state !== 'failed') this.#verdicts.set(rule, { state: 'passed' });
  }

  fail(rule: Rule, reason: string): void {
    if (this.#verdicts.get(rule)?.state !== 'failed') this.#verdicts.set(rule, { state: 'failed', reason });
  }

  skip(rule: Rule, reason: string): void {
    if (!this.#verdicts.has(rule)) this.#verdicts.set(rule, { state: 'skipped', reason });
  }

  /** Passes or fails by a condition. True when it holds. */
  check(rule: Rule, holds: boolean, reason: string): boolean {
    if (holds) this.pass(rule);
    else this.fail(rule, reason);
    return holds;
  }

  /** All rules in order; one that nothing was found out about is told so. */
  all(transport: Transport): { rule: Rule; title: string; verdict: Verdict }[] {
    return (Object.keys(RULES).map(Number) as Rule[]).map((rule) => ({
      rule,
      title: RULES[rule],
      verdict: whyNot(rule, transport) ??
        this.#verdicts.get(rule) ?? { state: 'skipped', reason: 'the kit did not get to it' },
    }));
  }
}

/** The verdict on a rule that this transport does not know. */
export function whyNot(rule: Rule, transport: Transport): Verdict | undefined {
  const reason = transport === 'bullmq' ? HTTP_ONLY[rule] : undefined;
  return reason === undefined ? undefined : { state: 'not-applicable', reason };
}
