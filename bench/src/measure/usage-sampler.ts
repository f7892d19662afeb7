import { availableParallelism } from 'node:os';
import { cpuSecondsOf, machineBusySeconds, pssBytesOf } from './processes.ts';
import type { ProcessGroups } from './processes.ts';

const memoryEveryMs = 2_000;

/** What the processes of one contestant used during one measurement. */
export interface Usage {
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** By group at the moment when all of them together held the most. */
  readonly peakPssBytes: Readonly<Record<string, number>>;
  /** How much of the machine's CPU went to neither the contestant nor the measuring process, 0 to 1. */
  readonly foreignShare: number;
}

/** Watches groups of processes from `start` to `stop`. */
export class UsageSampler {
  readonly #groups: ProcessGroups;
  #cpu: Record<string, number> = {};
  #peak: Record<string, number> = {};
  #own = process.cpuUsage();
  #busy = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(groups: ProcessGroups) {
    this.#groups = groups;
  }

  start(): void {
    this.#peak = {};
    this.#sampleMemory();
    this.#timer = setInterval(() => this.#sampleMemory(), memoryEveryMs);
    this.#own = process.cpuUsage();
    this.#busy = machineBusySeconds();
    this.#cpu = cpuSecondsOf(this.#groups);
    this.#startedAt = performance.now();
  }

  stop(): Usage {
    clearInterval(this.#timer);
    const wallSeconds = (performance.now() - this.#startedAt) / 1_000;
    const after = cpuSecondsOf(this.#groups);
    const busy = machineBusySeconds() - this.#busy;
    const { user, system } = process.cpuUsage(this.#own);
    this.#sampleMemory();
    const cpuSeconds = Object.fromEntries(
      Object.entries(after).map(([group, seconds]) => [group, seconds - (this.#cpu[group] ?? 0)]),
    );
    const foreign = Math.max(0, busy - sum(cpuSeconds) - (user + system) / 1e6);
    return { cpuSeconds, peakPssBytes: this.#peak, foreignShare: foreign / (wallSeconds * availableParallelism()) };
  }

  #sampleMemory(): void {
    const now = pssBytesOf(this.#groups);
    if (sum(now) > sum(this.#peak)) this.#peak = now;
  }
}

/** The sum of a record's figures. */
export function sum(figures: Readonly<Record<string, number>>): number {
  return Object.values(figures).reduce((total, figure) => total + figure, 0);
}
