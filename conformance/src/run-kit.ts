import type { Cases } from './cases.ts';
import { startFake } from './orchestrator/start-fake.ts';
import { Verdicts, type Rule } from './rules.ts';
import { PATIENCE_MS, Scene } from './scene.ts';
import { goesOn, readsBlobs, refusesWrongBytes, storesLargeResults } from './scenarios/blobs.ts';
import {
  doesAJob,
  fails,
  heedsARefusedAck,
  holds,
  repeatsAClaim,
  repeatsAnEnd,
  runsOnce,
  stops,
  takesNoForAnAnswer,
} from './scenarios/jobs.ts';
import { drains } from './scenarios/leaving.ts';
import {
  claimsWithinItsSlots,
  livesOn,
  outlivesAnOutage,
  registers,
  registersAgain,
  spoke,
} from './scenarios/presence.ts';
import { servesProfiles } from './scenarios/profiles.ts';
import { WorkerProcess } from './worker-process.ts';

export interface KitOptions {
  /** How the worker is started, for `/bin/sh`. */
  command: string;
  cases: Cases;
  slots?: number;
  heartbeatMs?: number;
  ackMs?: number;
  /** How long the kit waits for what a worker should do; 15 s by default. */
  patienceMs?: number;
  /** The environment to take PATH, HOME and LANG from. */
  own: Readonly<Record<string, string | undefined>>;
  /** Only these rules, and the first; all by default. */
  rules?: readonly Rule[];
  /** Further variables for the worker. */
  env?: Readonly<Record<string, string>>;
  /** Told what is tried now. */
  onStep?: (what: string) => void;
}

export interface KitReport {
  verdicts: ReturnType<Verdicts['all']>;
  /** No rule failed. */
  passed: boolean;
  /** The last of what the worker wrote. */
  said: string;
}

/** A part of a worker's life, and the rules that it tells about. */
interface Scenario {
  rules: readonly Rule[];
  play: (scene: Scene) => unknown;
}

/** What one process of the worker goes through, in this order. */
const LIFE: readonly Scenario[] = [
  { rules: [3], play: livesOn },
  { rules: [9, 11], play: doesAJob },
  { rules: [7], play: repeatsAClaim },
  { rules: [8], play: runsOnce },
  { rules: [10], play: heedsARefusedAck },
  { rules: [12], play: repeatsAnEnd },
  { rules: [13], play: takesNoForAnAnswer },
  { rules: [14], play: fails },
  { rules: [15], play: holds },
  { rules: [16], play: (scene) => stops(scene, 'cancel') },
  { rules: [17], play: (scene) => stops(scene, 'stale') },
  { rules: [18], play: readsBlobs },
  { rules: [19], play: refusesWrongBytes },
  { rules: [20], play: storesLargeResults },
  { rules: [21], play: goesOn },
  { rules: [24, 25, 26], play: servesProfiles },
  { rules: [5], play: registersAgain },
  { rules: [4], play: outlivesAnOutage },
  { rules: [6], play: claimsWithinItsSlots },
  { rules: [23], play: (scene) => drains(scene, 'signal') },
  { rules: [2], play: spoke },
];

/** A second process: it is told to drain by an answer. */
const SECOND_LIFE: readonly Scenario[] = [
  { rules: [22], play: (scene) => drains(scene, 'answer') },
  { rules: [2], play: spoke },
];

/** Starts the worker against a hostile be-api, twice, and says which rules of the protocol it keeps. */
export async function runKit(options: KitOptions): Promise<KitReport> {
  const verdicts = new Verdicts();
  const { rules: wanted = [] } = options;
  const isWanted = ({ rules }: Scenario): boolean => wanted.length === 0 || rules.some((rule) => wanted.includes(rule));
  const said = await live(options, verdicts, true, LIFE.filter(isWanted));
  if (wanted.length === 0 || wanted.includes(22)) await live(options, verdicts, false, SECOND_LIFE);
  const all = verdicts.all().filter(({ rule }) => wanted.length === 0 || rule === 1 || wanted.includes(rule));
  return { verdicts: all, passed: all.every(({ verdict }) => verdict.state !== 'failed'), said };
}

/** One life of the worker; what it wrote. */
async function live(
  options: KitOptions,
  verdicts: Verdicts,
  hostile: boolean,
  scenarios: readonly Scenario[],
): Promise<string> {
  const { command, cases, slots = 2, heartbeatMs = 1_000, ackMs = 5_000, env = {}, onStep } = options;
  const fake = await startFake({ heartbeatMs, ackMs });
  if (hostile) {
    fake.faults.plan('POST', /^\/v1\/workers$/, { kind: 'status', status: 503, code: 'unavailable' });
    fake.faults.plan('POST', /^\/v1\/workers$/, { kind: 'lost-answer' });
  }
  const worker = await WorkerProcess.start({
    command,
    beApiUrl: fake.url,
    key: fake.key,
    slots,
    env,
    own: options.own,
  });
  try {
    const scene = new Scene({ fake, worker, verdicts, cases, patienceMs: options.patienceMs ?? PATIENCE_MS });
    onStep?.('registration');
    const here = hostile ? await registers(scene) : await fake.until(() => fake.runner !== undefined, 30_000);
    if (!here) return worker.said;
    for (const { rules, play } of scenarios) {
      onStep?.(`rule ${rules.join(', ')}`);
      await play(scene);
      fake.faults.clear();
      fake.clear();
    }
    return worker.said;
  } finally {
    await worker.stop();
    await fake.stop();
  }
}
