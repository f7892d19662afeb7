import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonValue } from '@connecta/contracts';
import type { Cases, JobCase } from './cases.ts';
import { FakeJob, type FakeBlob } from './orchestrator/fake-job.ts';
import type { FakeBeApi } from './orchestrator/fake-be-api.ts';
import type { Rule, Transport, Verdicts } from './rules.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How long the kit waits for what a worker should do, unless it is told otherwise. */
export const PATIENCE_MS = 15_000;
/** A slow case has to end within this time. */
export const SLOW_MS = 30_000;
/** How long a slow case takes at most. */
const SLOWEST_MS = 10_000;

/** What every scenario works with. */
export class Scene {
  readonly fake: FakeBeApi;
  readonly worker: WorkerProcess;
  readonly verdicts: Verdicts;
  readonly cases: Cases;
  readonly patienceMs: number;
  /** How long a slow case takes; known once one was seen to its end. */
  slowMs = SLOWEST_MS;

  constructor(parts: {
    fake: FakeBeApi;
    worker: WorkerProcess;
    verdicts: Verdicts;
    cases: Cases;
    patienceMs?: number;
  }) {
    this.fake = parts.fake;
    this.worker = parts.worker;
    this.verdicts = parts.verdicts;
    this.cases = parts.cases;
    this.patienceMs = parts.patienceMs ?? PATIENCE_MS;
  }

  get transport(): Transport {
    return this.fake.transport;
  }

  /** Gives a job of a case; undefined, and the rules are skipped, when there is no such case. */
  async give(
    name: JobCase,
    rules: readonly Rule[],
    options: { twice?: boolean; attempt?: number; context?: FakeBlob | undefined } = {},
  ): Promise<FakeJob | undefined> {
    const { twice = false, ...rest } = options;
    const job = this.make(name, rules, rest);
    if (job) await this.fake.give([job], twice ? [job] : []);
    return job;
  }

  /** Makes a job of a case without giving it; as {@link give} for a case that is missing. */
  make(
    name: JobCase,
    rules: readonly Rule[],
    { attempt = 1, context }: { attempt?: number; context?: FakeBlob | undefined } = {},
  ): FakeJob | undefined {
    const made = this.cases[name];
    if (!made) {
      for (const rule of rules) this.verdicts.skip(rule, `the cases name no \`${name}\``);
      return undefined;
    }
    const profile = [...this.fake.profiles.values()].find((one) => one.name === made.profile && !one.deleted);
    return new FakeJob({ case: made, profile, attempt, context });
  }

  until(holds: () => boolean, withinMs = this.patienceMs): Promise<boolean> {
    return this.fake.until(() => holds() || this.worker.ended, withinMs);
  }

  /** Waits for a job's end, and says why there was none. */
  async ended(rule: Rule, job: FakeJob, withinMs = this.patienceMs): Promise<boolean> {
    await this.until(() => job.ended(), withinMs);
    const what = job.calls.map(({ what, status }) => `${what} ${status}`).join(', ') || 'nothing was heard of it';
    return this.verdicts.check(rule, job.ended(), `a job did not end within ${withinMs} ms: ${what}`);
  }

  /** Makes sure that the worker works: a quick job is completed. */
  async works(rule: Rule, when: string): Promise<boolean> {
    const job = await this.give('quick', [rule]);
    if (!job) return true;
    await this.until(() => job.ended());
    return this.verdicts.check(rule, job.ended(), `${when}, no further job is done`);
  }

  pause(ms: number): Promise<unknown> {
    return sleep(ms);
  }
}

/** Compares as JSON does: key order does not count. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [one, two] = [a as { [name: string]: JsonValue }, b as { [name: string]: JsonValue }];
  const keys = Object.keys(one);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(two).length &&
    keys.every((key) => sameJson(one[key], two[key]))
  );
}
