import type { Cases } from './cases.ts';
import { FakeBeApi } from './orchestrator/fake-be-api.ts';
import { Verdicts } from './rules.ts';
import { Scene } from './scene.ts';
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
  /** The environment to take PATH, HOME and LANG from. */
  own: Readonly<Record<string, string | undefined>>;
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

type Scenario = (scene: Scene) => unknown;

/** What one process of the worker goes through, in this order. */
const LIFE: readonly Scenario[] = [
  livesOn,
  doesAJob,
  repeatsAClaim,
  runsOnce,
  heedsARefusedAck,
  repeatsAnEnd,
  takesNoForAnAnswer,
  fails,
  holds,
  (scene) => stops(scene, 'cancel'),
  (scene) => stops(scene, 'stale'),
  readsBlobs,
  refusesWrongBytes,
  storesLargeResults,
  goesOn,
  servesProfiles,
  registersAgain,
  outlivesAnOutage,
  claimsWithinItsSlots,
  (scene) => drains(scene, 'signal'),
  spoke,
];

/** Starts the worker against a hostile be-api, twice, and says which rules of the protocol it keeps. */
export async function runKit(options: KitOptions): Promise<KitReport> {
  const verdicts = new Verdicts();
  const said = await live(options, verdicts, true, LIFE);
  await live(options, verdicts, false, [(scene) => drains(scene, 'answer'), spoke]);
  const all = verdicts.all();
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
  const fake = new FakeBeApi({ heartbeatMs, ackMs });
  await fake.start();
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
    const scene = new Scene({ fake, worker, verdicts, cases });
    onStep?.('registration');
    const here = hostile ? await registers(scene) : await fake.until(() => fake.runner !== undefined, 30_000);
    if (!here) return worker.said;
    for (const scenario of scenarios) {
      onStep?.(scenario.name || 'drain');
      await scenario(scene);
      fake.faults.clear();
      fake.clear();
    }
    return worker.said;
  } finally {
    await worker.stop();
    await fake.stop();
  }
}
