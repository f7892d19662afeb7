import type { FakeJob } from '../orchestrator/fake-job.ts';
import { SLOW_MS, type Scene } from '../scene.ts';

/** A sign of life, from when until when it is one. */
interface Sign {
  fromMs: number;
  untilMs: number;
}

/** Calls about a job that say that it is held. */
const HOLDING = ['ack', 'start', 'heartbeat'];

/**
 * Rules 3 and 15: signs of life while there is nothing to do, and while every slot is taken; meanwhile answers to
 * heartbeats get lost.
 */
export async function givesSigns(scene: Scene): Promise<void> {
  const { fake, verdicts } = scene;
  const fromMs = Date.now();
  const mostMs = fake.heartbeatMs * 3;
  await scene.pause(fake.heartbeatMs * 4);
  fake.faults.plan('POST', /\/heartbeat$/, { kind: 'lost-answer' }, 2);
  const jobs: FakeJob[] = [];
  for (let slot = fake.runner?.registration.slots ?? 1; slot > 0; slot--) {
    const job = await scene.give('slow', [15]);
    if (job) jobs.push(job);
  }
  await scene.until(() => jobs.every((job) => job.ended()), SLOW_MS);
  const longest = longestSilence(signsOfLife(scene), { fromMs, untilMs: Date.now() });
  verdicts.check(
    3,
    longest <= mostMs,
    `nothing was heard of the worker for ${longest} ms, with a heartbeat interval of ${fake.heartbeatMs} ms`,
  );
  for (const job of jobs) await isHeld(scene, job);
}

/**
 * Rule 15, where a worker may forget it: while the bytes of a job are on their way, in and out, and while its end is
 * not answered. Each takes longer than a job may be silent.
 */
export async function holdsInTransfer(scene: Scene): Promise<void> {
  const { fake } = scene;
  const late = { kind: 'late', delayMs: fake.heartbeatMs * 3.5 } as const;
  fake.faults.plan('GET', /\/blobs\//, late);
  const reading = await scene.give('blob', []);
  if (reading) await isHeld(scene, reading);
  fake.faults.clear();
  fake.faults.plan('PUT', /\/blobs\//, late);
  if (scene.transport === 'http') fake.faults.plan('POST', /\/complete$/, late);
  const writing = await scene.give('big', []);
  if (writing) await isHeld(scene, writing);
}

async function isHeld(scene: Scene, job: FakeJob): Promise<void> {
  const { fake, verdicts } = scene;
  if (!(await scene.ended(15, job, SLOW_MS))) return;
  const mostMs = fake.heartbeatMs * 3;
  const listed = fake.heartbeats.filter(({ held }) => held.some(({ jobId }) => jobId === job.jobId));
  const said = job.of(...HOLDING).filter(({ status }) => status === 200);
  // Over a queue nobody sees when it was taken, and reports are no holds.
  const signs = (scene.transport === 'http' ? [...listed, ...said] : listed).map(at);
  const first = job.calls[0]?.atMs ?? job.endedAtMs;
  const fromMs = scene.transport === 'http' ? job.claimedAtMs : Math.min(first, signs[0]?.fromMs ?? first);
  const longest = longestSilence(signs, { fromMs, untilMs: job.endedAtMs });
  const told = `a job that was held was not spoken of for ${longest} ms; ${mostMs} ms are allowed`;
  verdicts.check(15, longest <= mostMs, told);
}

/** Everything that counts as a sign of the instance's life: claims do for as long as they wait. */
function signsOfLife({ fake }: Scene): Sign[] {
  const claims = fake.claims.map(({ atMs, closedAtMs = Infinity }) => ({ fromMs: atMs, untilMs: closedAtMs }));
  const holds = fake.jobs.flatMap((job) => job.of(...HOLDING)).filter(({ status }) => status === 200);
  return [...claims, ...[...fake.heartbeats, ...holds].map(at)];
}

function at({ atMs }: { atMs: number }): Sign {
  return { fromMs: atMs, untilMs: atMs };
}

/** The longest time between two moments in which there was no sign. */
function longestSilence(signs: readonly Sign[], { fromMs, untilMs }: Sign): number {
  let longest = 0;
  let heardMs = fromMs;
  for (const sign of signs.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (sign.fromMs > untilMs) break;
    longest = Math.max(longest, sign.fromMs - heardMs);
    heardMs = Math.max(heardMs, sign.untilMs);
  }
  return Math.max(longest, untilMs - heardMs);
}
