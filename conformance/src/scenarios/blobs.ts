import { isBlobRef, type JsonValue } from '@connecta/contracts';
import type { FakeJob } from '../orchestrator/fake-job.ts';
import { sameJson, SLOW_MS, type Scene } from '../scene.ts';

/** Rule 18: be-api is away at first, and then the bytes break off. */
export async function readsBlobs(scene: Scene): Promise<void> {
  const { fake, verdicts, cases } = scene;
  const away = fake.faults.plan('GET', /\/blobs\//, { kind: 'status', status: 503, code: 'unavailable' });
  const job = await scene.give('blob', [18, 19]);
  if (!job) {
    away.end();
    return;
  }
  if (!(await scene.ended(18, job))) return;
  verdicts.check(18, job.of('wrong-lease').length === 0, "a blob was read without the job's lease");
  verdicts.check(18, job.state === 'completed', `the job \`blob\` failed: ${JSON.stringify(job.of('fail')[0]?.body)}`);
  const { result } = cases.blob ?? {};
  const value = valueOf(job);
  verdicts.check(18, result === undefined || sameJson(value, result), `the result is ${JSON.stringify(value)}`);
  const [bytes = 2] = [...job.blobs.values()].map(({ ref }) => ref.size);
  const breaks = fake.faults.plan('GET', /\/blobs\//, { kind: 'breaks-off', afterBytes: Math.ceil(bytes / 2) });
  const second = await scene.give('blob', [18]);
  if (!second || !(await scene.ended(18, second))) {
    breaks.end();
    return;
  }
  const failure = JSON.stringify(second.of('fail').at(-1)?.body);
  const again = second.state === 'completed';
  if (!verdicts.check(18, again, `a blob that broke off was not read again: ${failure}`)) return;
  verdicts.check(18, sameJson(valueOf(second), value), `half a blob was worked on: ${JSON.stringify(valueOf(second))}`);
}

/** Rule 19: the bytes are not those of the reference. */
export async function refusesWrongBytes(scene: Scene): Promise<void> {
  const job = await scene.give('blob', [19]);
  if (!job) return;
  for (const [id, blob] of job.blobs) {
    const wrong = Buffer.from(blob.bytes);
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    job.blobs.set(id, { ...blob, bytes: wrong });
  }
  if (!(await scene.ended(19, job))) return;
  const failed = job.state === 'failed';
  if (!scene.verdicts.check(19, failed, 'it completed a job whose bytes do not have the hash they should')) return;
  // They may have been damaged on their way: another attempt may get the right ones.
  const { kind } = job.of('fail').at(-1)?.body as { kind?: string };
  scene.verdicts.check(19, kind === 'retryable', `it failed as ${kind} for bytes that do not match; retryable it is`);
}

/** Rule 20: a large result; the answer to the first PUT gets lost. */
export async function storesLargeResults(scene: Scene): Promise<void> {
  const { fake, verdicts } = scene;
  const lost = fake.faults.plan('PUT', /\/blobs\//, { kind: 'lost-answer' });
  const job = await scene.give('big', [20]);
  if (!job) {
    lost.end();
    return;
  }
  if (!(await scene.ended(20, job))) {
    lost.end();
    return;
  }
  const large = job.of('complete').some(({ status }) => status === 413);
  verdicts.check(20, !large, 'a result over 8 KiB was sent inline');
  const ref = valueOf(job);
  if (
    !verdicts.check(
      20,
      isBlobRef(ref),
      `the result of \`big\` is no blob: ${(JSON.stringify(ref) ?? '').slice(0, 200)}`,
    )
  )
    return;
  verdicts.check(20, isBlobRef(ref) && job.blobs.has(ref.blobId), 'the result names a blob that was not stored');
  const ids = new Set(job.of('write-blob').map(({ body }) => body));
  verdicts.check(20, ids.size === 1, 'a blob whose answer was lost was stored again under another id');
}

/** Rule 21: a lost attempt's checkpoint is given to the next one. */
export async function goesOn(scene: Scene): Promise<void> {
  const { verdicts } = scene;
  const job = await scene.give('checkpoint', [21]);
  if (!job) return;
  const contextOf = (): JsonValue | undefined =>
    job
      .of('heartbeat', 'complete', 'fail')
      .map(({ body }) => (body as { context?: JsonValue } | null)?.context)
      .findLast((context) => context !== undefined);
  await scene.until(() => contextOf() !== undefined || job.ended(), SLOW_MS);
  const context = contextOf();
  if (!verdicts.check(21, isBlobRef(context), 'no checkpoint was reported')) return;
  const blob = isBlobRef(context) ? job.blobs.get(context.blobId) : undefined;
  if (!verdicts.check(21, blob !== undefined, 'the checkpoint names a blob that was not stored')) return;
  job.verdict = 'stale';
  job.refused = true;
  const next = await scene.give('checkpoint', [21], { attempt: 2, context: blob });
  if (!next || !(await scene.ended(21, next, SLOW_MS))) return;
  verdicts.check(21, next.of('read-blob').length > 0, 'the next attempt did not read the checkpoint it was given');
  verdicts.check(21, next.state === 'completed', 'the next attempt failed');
}

function valueOf(job: FakeJob): JsonValue | undefined {
  return (job.of('complete').at(-1)?.body as { value?: JsonValue } | null | undefined)?.value;
}
