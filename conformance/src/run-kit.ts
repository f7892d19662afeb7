import { JOB_CASES, type Cases } from './cases.ts';
import { startFake } from './orchestrator/start-fake.ts';
import type { QueueServer } from './orchestrator/queue-desk.ts';
import type { FakeBeApi } from './orchestrator/fake-be-api.ts';
import { Verdicts, whyNot, type Rule, type Transport } from './rules.ts';
import { PATIENCE_MS, Scene } from './scene.ts';
import { goesOn, readsBlobs, refusesWrongBytes, storesLargeResults } from './scenarios/blobs.ts';
import {
  doesAJob,
  fails,
  heedsARefusedAck,
  repeatsAClaim,
  repeatsAnEnd,
  runsOnce,
  stops,
  takesNoForAnAnswer,
} from './scenarios/jobs.ts';
import { drains } from './scenarios/leaving.ts';
import { claimsWithinItsSlots, outlivesAnOutage, registers, registersAgain, spoke } from './scenarios/presence.ts';
import { givesSigns, holdsInTransfer } from './scenarios/signs.ts';
import { servesProfiles } from './scenarios/profiles.ts';
import { WorkerProcess, freePort } from './worker-process.ts';

export interface KitOptions {
  /** How the worker is started, for `/bin/sh`. */
  command: string;
  /** How the process is started that keeps the type's profiles, when it is another one. */
  api?: string | undefined;
  /** Where workers that take their jobs from a queue may have one. */
  queue?: QueueServer | undefined;
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
  transport: Transport;
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
  { rules: [9, 11], play: doesAJob },
  { rules: [7], play: repeatsAClaim },
  { rules: [8], play: runsOnce },
  { rules: [3, 15], play: givesSigns },
  { rules: [15], play: holdsInTransfer },
  { rules: [10], play: heedsARefusedAck },
  { rules: [12], play: repeatsAnEnd },
  { rules: [13], play: takesNoForAnAnswer },
  { rules: [14], play: fails },
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

/**
 * Starts the worker against a hostile be-api, twice, and says which rules of the protocol it keeps.
 *
 * @throws Error when it cannot be tried: its API does not come, or it needs a queue and there is none.
 */
export async function runKit(options: KitOptions): Promise<KitReport> {
  const verdicts = new Verdicts();
  const { rules: wanted = [] } = options;
  const isWanted = (rule: Rule): boolean => wanted.length === 0 || wanted.includes(rule);
  const first = { hostile: true, scenarios: LIFE.filter(({ rules }) => rules.some(isWanted)) };
  const { said, transport } = await live(options, verdicts, first);
  if (isWanted(22)) await live(options, verdicts, { hostile: false, scenarios: SECOND_LIFE });
  const all = verdicts.all(transport).filter(({ rule }) => rule === 1 || isWanted(rule));
  return { transport, verdicts: all, passed: all.every(({ verdict }) => verdict.state !== 'failed'), said };
}

/** One life of the worker; what it wrote. */
async function live(
  options: KitOptions,
  verdicts: Verdicts,
  { hostile, scenarios }: { hostile: boolean; scenarios: readonly Scenario[] },
): Promise<{ said: string; transport: Transport }> {
  const { command, cases, heartbeatMs = 1_000, ackMs = 5_000, onStep } = options;
  const fake = await startFake({ heartbeatMs, ackMs, queue: options.queue });
  const processes: WorkerProcess[] = [];
  try {
    const port = await freePort();
    if (options.api !== undefined) {
      const api = await startProcess(options, options.api, { fake, port });
      processes.push(api);
      if (!(await fake.until(() => fake.api !== undefined || api.ended, 30_000)) || api.ended)
        throw new Error(`the process of \`api\` did not register: ${api.said.slice(-1_000)}`);
    }
    if (hostile) {
      fake.faults.plan('POST', /^\/v1\/workers$/, { kind: 'status', status: 503, code: 'unavailable' });
      fake.faults.plan('POST', /^\/v1\/workers$/, { kind: 'lost-answer' });
    }
    const worker = await startProcess(options, command, { fake, port });
    processes.unshift(worker);
    const scene = new Scene({ fake, worker, verdicts, cases, patienceMs: options.patienceMs ?? PATIENCE_MS });
    onStep?.('registration');
    const here = hostile ? await registers(scene) : await fake.until(() => fake.runner !== undefined, 30_000);
    const { transport } = fake;
    if (transport === 'bullmq' && !fake.desk)
      throw new Error('the worker takes its jobs from a queue: say where it may have one (queue)');
    if (here) await knowsProfiles(fake, cases);
    for (const { rules, play } of here ? scenarios : []) {
      if (rules.every((rule) => whyNot(rule, transport) !== undefined)) continue;
      onStep?.(`rule ${rules.join(', ')}`);
      await play(scene);
      fake.faults.clear();
      await fake.clear();
    }
    return { said: worker.said, transport };
  } finally {
    for (const process of processes) await process.stop();
    await fake.stop();
  }
}

/** Some tell their profiles right after they have registered. */
function knowsProfiles(fake: FakeBeApi, cases: Cases): Promise<boolean> {
  const wanted = JOB_CASES.flatMap((name) => cases[name]?.profile ?? []);
  return fake.until(() => {
    const known = new Set([...fake.profiles.values()].map(({ name }) => name));
    return wanted.every((name) => known.has(name));
  }, 5_000);
}

function startProcess(
  { slots = 2, env = {}, own }: KitOptions,
  command: string,
  { fake, port }: { fake: FakeBeApi; port: number },
): Promise<WorkerProcess> {
  return WorkerProcess.start({ command, beApiUrl: fake.url, key: fake.key, slots, env, own, port });
}
