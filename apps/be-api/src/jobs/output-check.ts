import { describeBreach, isBlobRef, type JobError, type JsonValue } from '@connecta/contracts';
import { compileValueCheck, type Logger, type ValueCheck } from '@connecta/runtime';
import { findOutputRule, type OutputRule, type Store } from '@connecta/store';

/** A newer registration counts after so long. */
const FRESH_MS = 5_000;
const MAX_RULES = 1_000;

interface Known {
  readAtMs: number;
  rule: OutputRule | null;
  faultsOf: ValueCheck;
}

/**
 * Checks results of workers that report over HTTP: whether their kit checks them is theirs. A result that breaks what
 * its function promised is the producer's failure, not that of the step that would get it.
 */
export class OutputCheck {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #known = new Map<string, Known>();

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** The error of an attempt with this result; null when it is as promised. JSON that travels as a blob is not read. */
  async errorOf(job: { workerType: string; function: string }, value: JsonValue): Promise<JobError | null> {
    if (isBlobRef(value) && value.mediaType.startsWith('application/json')) return null;
    const { rule, faultsOf } = await this.#ruleOf(job);
    const faults = faultsOf(value);
    if (!rule || faults.length === 0) return null;
    const producer = { function: job.function, version: rule.version ?? undefined, type: job.workerType };
    const message = describeBreach({ ...producer, team: rule.team }, faults);
    return { kind: 'permanent', code: 'invalid_output', message: message.slice(0, 4000) };
  }

  async #ruleOf({ workerType, function: name }: { workerType: string; function: string }): Promise<Known> {
    const key = `${workerType} ${name}`;
    const known = this.#known.get(key);
    const nowMs = performance.now();
    if (known && nowMs - known.readAtMs < FRESH_MS) return known;
    const rule = await findOutputRule(this.#store, workerType, name);
    const same = known && JSON.stringify(known.rule) === JSON.stringify(rule);
    const faultsOf = same ? known.faultsOf : this.#compile(key, rule);
    if (this.#known.size >= MAX_RULES) this.#known.clear();
    const fresh = { readAtMs: nowMs, rule, faultsOf };
    this.#known.set(key, fresh);
    return fresh;
  }

  #compile(key: string, rule: OutputRule | null): ValueCheck {
    try {
      return rule?.outputSchema ? compileValueCheck(rule.outputSchema) : () => [];
    } catch (err) {
      this.#log.warn({ err, function: key }, 'an outputSchema is none: results are not checked');
      return () => [];
    }
  }
}
