import type { Scene } from '../scene.ts';

const GRACE_MS = 5_000;

/** Rules 22 and 23: told by an answer, or by SIGTERM, while a job runs. */
export async function drains(scene: Scene, by: 'answer' | 'signal'): Promise<void> {
  const { fake, worker, verdicts } = scene;
  const rule = by === 'answer' ? 22 : 23;
  const job = await scene.give(scene.cases.slow ? 'slow' : 'quick', []);
  if (job) await scene.until(() => job.calls.length > 0);
  if (job) await scene.pause(200);
  if (by === 'answer') fake.drain = true;
  else worker.terminate();
  // It may have claimed just before it was told; what comes long after is too late.
  await scene.pause(1_000);
  const from = Date.now();
  const late = await scene.give('quick', []);
  await scene.until(() => fake.runner === undefined, scene.patienceMs + 10_000);
  const left = fake.calls.some(({ method, path }) => method === 'DELETE' && /^\/v1\/workers\/[^/]+$/.test(path));
  await fake.clear();
  verdicts.check(rule, left, 'it did not leave (DELETE /v1/workers/{id})');
  const ended = job === undefined || job.ended();
  verdicts.check(rule, ended, 'it left without having finished, or failed, what it held');
  const failure = job?.of('fail').at(-1)?.body as { kind?: string; retryAfterMs?: number } | undefined;
  const forOthers = failure === undefined || failure.kind === 'retryable';
  verdicts.check(rule, forOthers, `what it did not finish failed as ${failure?.kind}; retryable it is, for others`);
  // By an answer it is told with its next call, which may be a claim.
  const toldBy = by === 'answer' ? (fake.drainToldAtMs ?? Infinity) + GRACE_MS / 5 : from;
  const claims = fake.claims.filter(({ atMs }) => atMs > toldBy);
  verdicts.check(rule, claims.length === 0, `it claimed ${claims.length} times after it was told`);
  // One that a claim of before brought is finished; a queue has no such claims.
  const taken = late !== undefined && late.calls.length > 0 && !(scene.transport === 'http' && late.ended());
  verdicts.check(rule, !taken, 'it took a job after it was told');
  const code = await worker.exited(GRACE_MS);
  if (by === 'signal') verdicts.check(rule, code === 0, `it ended with ${String(code ?? 'nothing: it still runs')}`);
}
