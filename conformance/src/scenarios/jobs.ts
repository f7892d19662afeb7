import type { FakeJob } from '../orchestrator/fake-job.ts';
import { BACKLOG } from '../orchestrator/queue-desk.ts';
import { sameJson, SLOW_MS, type Scene } from '../scene.ts';

/** Rules 9 and 11: a job is acknowledged and completed; its acknowledgement is answered late. */
export async function doesAJob(scene: Scene): Promise<void> {
  const { fake, verdicts, cases } = scene;
  fake.faults.plan('POST', /\/ack$/, { kind: 'late', delayMs: 700 });
  const job = await scene.give('quick', [9, 11]);
  if (!job || !(await scene.ended(11, job))) {
    if (job) verdicts.check(9, job.calls.length > 0, 'a claimed job was neither acknowledged nor reported on');
    return;
  }
  const first = job.calls[0]?.atMs ?? Infinity;
  verdicts.check(9, first - job.claimedAtMs <= fake.ackMs, `the first word of a job came after ${fake.ackMs} ms`);
  const wrong = job.of('wrong-lease').length;
  verdicts.check(11, wrong === 0, `${wrong} calls did not show the job's lease in Connecta-Lease`);
  if (!verdicts.check(11, job.state === 'completed', `the job \`quick\` failed: ${said(job, 'fail')}`)) return;
  const { result } = cases.quick ?? {};
  const value = (job.of('complete').at(-1)?.body as { value?: never } | undefined)?.value;
  verdicts.check(11, result === undefined || sameJson(value, result), `the result is ${JSON.stringify(value)}`);
}

/** Rule 7: the answer to a claim with a job in it is lost. */
export async function repeatsAClaim(scene: Scene): Promise<void> {
  const { fake, verdicts } = scene;
  const lost = fake.faults.plan('POST', /\/claim$/, { kind: 'lost-answer' });
  fake.cutClaims();
  await scene.until(() => lost.left() === 0);
  const job = await scene.give('quick', [7]);
  if (!job) {
    lost.end();
    return;
  }
  await scene.until(() => job.ended());
  const given = [...fake.given].find(([, jobs]) => jobs.includes(job))?.[0];
  const repeats = fake.claims.filter(({ requestId }) => requestId === given).length;
  verdicts.check(
    7,
    job.ended() && repeats > 1,
    'the claim whose answer was lost was not sent again under its request id',
  );
}

/** Rule 8: the same attempt is handed out twice. */
export async function runsOnce(scene: Scene): Promise<void> {
  const name = scene.cases.slow ? 'slow' : 'quick';
  const job = await scene.give(name, [8], { twice: scene.transport === 'http' });
  if (!job) return;
  if (scene.transport === 'bullmq' && !(await comesAgain(scene, job))) return;
  if (!(await scene.ended(8, job, SLOW_MS))) return;
  await scene.pause(1_500);
  await scene.fake.clear();
  if (scene.cases.slow && job.state === 'completed') scene.slowMs = job.endedAtMs - job.claimedAtMs;
  const ends = job.of('complete', 'fail');
  const starts = job.of('start').filter(({ status }) => status === 200);
  const problem = `an attempt that was handed out twice was started ${starts.length} and ended ${ends.length} times`;
  scene.verdicts.check(8, ends.length === 1 && starts.length <= 1, problem);
}

/**
 * Hands a job that runs out again, as after a loss of the queue's store: in a backlog, since by itself a delivery with
 * the id of one that is taken is none.
 */
async function comesAgain(scene: Scene, job: FakeJob): Promise<boolean> {
  const { fake, verdicts } = scene;
  const others = Array.from({ length: BACKLOG }, () => scene.make('quick', []));
  const backlog = others.filter((other) => other !== undefined);
  if (backlog.length < others.length || !scene.cases.slow) {
    verdicts.skip(8, 'over a queue the cases `quick` and `slow` are needed');
    return false;
  }
  await scene.until(() => job.calls.length > 0);
  job.claimedAtMs = job.calls[0]?.atMs ?? Date.now();
  await fake.give(backlog, [job]);
  await scene.until(() => backlog.every((other) => other.ended()), SLOW_MS);
  return verdicts.check(
    8,
    backlog.every((other) => other.ended()),
    'the backlog around it was not done',
  );
}

/** Rule 10: another attempt has the job by the time it is acknowledged. */
export async function heedsARefusedAck(scene: Scene): Promise<void> {
  const job = await scene.give('quick', [10]);
  if (!job) return;
  job.refused = true;
  await scene.until(() => job.calls.length > 0);
  await scene.pause(2_500);
  const [first, ...rest] = job.calls.filter(({ what }) => what !== 'heartbeat');
  const after = rest.map(({ what }) => what).join(', ');
  scene.verdicts.check(
    10,
    first !== undefined && rest.length === 0,
    `after a refused ${first?.what ?? 'nothing'} came: ${after}`,
  );
}

/** Rule 12: an end's answer is lost, then be-api is away; or the queue's connections break with the report on them. */
export async function repeatsAnEnd(scene: Scene): Promise<void> {
  const { verdicts } = scene;
  const isLost = losesAnEnd(scene);
  const job = await scene.give('quick', [12]);
  if (!job) return;
  const leastEnds = scene.transport === 'http' ? 2 : 1;
  await scene.until(() => isLost() && job.of('complete').length >= leastEnds);
  const bodies = job.of('complete').map(({ body }) => JSON.stringify(body));
  const again = isLost() && bodies.length >= leastEnds;
  if (!verdicts.check(12, again, 'an end that did not arrive, or was not answered, was not sent until it was recorded'))
    return;
  verdicts.check(12, new Set(bodies).size === 1, `the repeated end differs: ${bodies.join(' then ').slice(0, 500)}`);
  verdicts.check(12, job.of('fail').length === 0, 'a job whose result was not answered was reported as failed');
}

/** Orders that the next end goes wrong; says when it has. */
function losesAnEnd({ fake, transport }: Scene): () => boolean {
  if (transport === 'bullmq') return fake.desk?.loseAResult(1_500).isLost ?? (() => false);
  const lost = fake.faults.plan('POST', /\/complete$/, { kind: 'lost-answer' });
  const away = fake.faults.plan('POST', /\/complete$/, { kind: 'status', status: 503, code: 'unavailable' }, 2);
  return () => lost.left() === 0 && away.left() === 0;
}

/** Rule 13: another attempt won while the job ran. */
export async function takesNoForAnAnswer(scene: Scene): Promise<void> {
  const { verdicts } = scene;
  const job = await scene.give('quick', [13]);
  if (!job) return;
  job.refusesEnd = true;
  const ends = (): number => job.of('complete', 'fail').length;
  await scene.until(() => ends() > 0);
  await scene.pause(2_000);
  verdicts.check(13, ends() === 1, `an end that was answered 409 was sent ${ends()} times`);
  await scene.works(13, 'after an end was refused');
}

/** Rule 14. */
export async function fails(scene: Scene): Promise<void> {
  const job = await scene.give('fails', [14]);
  if (!job || !(await scene.ended(14, job))) return;
  const error = job.of('fail').at(-1)?.body as { kind?: string; code?: string } | undefined;
  if (!scene.verdicts.check(14, error !== undefined, 'the job `fails` was completed')) return;
  const { kind, code } = scene.cases.fails?.error ?? {};
  const asExpected = (kind === undefined || error?.kind === kind) && (code === undefined || error?.code === code);
  scene.verdicts.check(14, asExpected, `it failed as ${error?.kind} ${error?.code}`);
}

/** Rules 16 and 17: the order is cancelled, or another attempt has the job. */
export async function stops(scene: Scene, verdict: 'cancel' | 'stale'): Promise<void> {
  const { fake, verdicts } = scene;
  const rule = verdict === 'cancel' ? 16 : 17;
  const job = await scene.give('slow', [rule]);
  if (!job) return;
  await scene.until(() => job.calls.length > 0);
  await scene.pause(300);
  if (job.ended()) {
    verdicts.skip(rule, '`slow` is too quick to be stopped');
    return;
  }
  job.verdict = verdict;
  job.refused = verdict === 'stale';
  await scene.until(() => job.of('complete').length > 0, fake.heartbeatMs + scene.slowMs);
  const problem = verdict === 'cancel' ? 'a cancelled job' : 'a job that another attempt has';
  if (!verdicts.check(rule, job.of('complete').length === 0, `${problem} was run to its end`)) return;
  await scene.works(rule, `after ${problem}`);
}

function said(job: FakeJob, what: string): string {
  return JSON.stringify(job.of(what).at(-1)?.body ?? null);
}
