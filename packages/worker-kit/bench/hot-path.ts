/**
 * What the kit costs per job beside the function and the queue: `node packages/worker-kit/bench/hot-path.ts [jobs]`.
 * Settings are cached and the value is inline, as in a backlog of small jobs; reports go nowhere.
 */
import { deliveryId, newId, type JobId, type JobMessage, type ProfileId, type WorkerEvent } from '@connecta/contracts';
import { silentLogger } from '@connecta/runtime';
import { compileCatalogue } from '../src/function/catalogue.ts';
import { defineFunction } from '../src/function/function.ts';
import { NOTHING_SECRET } from '../src/logs/redact.ts';
import { JobRunner } from '../src/runner/job-runner.ts';
import type { LoadedProfile } from '../src/runner/ports.ts';

const jobs = Number(process.argv[2] ?? 100_000);
const add = defineFunction<{ operand: number }>({
  name: 'bench.add',
  version: '1.0.0',
  settingsSchema: { type: 'object', properties: { operand: { type: 'number' } } },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  run: ({ input, settings }) => Promise.resolve({ value: (input as number) + settings.operand }),
});
const entry = compileCatalogue([add]).get('bench.add');
if (!entry) throw new Error('the catalogue lost its function');
const profile: LoadedProfile = { entry, settings: { operand: 2 }, redact: NOTHING_SECRET };
const profileId = newId<ProfileId>();
const cache = new Map([[`${profileId}@1`, profile]]);
const ends: WorkerEvent[] = [];
const runner = new JobRunner({
  instance: 'bench',
  profiles: { peek: (id, revision) => cache.get(`${id}@${revision}`), load: () => Promise.resolve(profile) },
  reports: { publish: (events) => Promise.resolve(void ends.push(...events)) },
  blobs: {
    forAttempt: () => {
      throw new Error('no blobs');
    },
  },
  orders: { place: () => Promise.reject(new Error('no orders')) },
  log: silentLogger(),
});
const data: JobMessage = {
  value: 5,
  profileId,
  profileRevision: 1,
  lease: 'x'.repeat(180),
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};

async function measure(count: number, slots: number): Promise<number> {
  const deliveries = Array.from({ length: count }, () => ({ id: deliveryId(newId<JobId>(), 1), data }));
  ends.length = 0;
  const start = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: slots }, async () => {
      for (let next = deliveries.pop(); next; next = deliveries.pop()) await runner.handle(next);
    }),
  );
  const microseconds = Number(process.hrtime.bigint() - start) / 1000;
  if (ends.length !== count || ends.some((end) => end.type !== 'completed')) throw new Error('a job did not complete');
  return microseconds / count;
}

await measure(20_000, 16);
for (const slots of [1, 16, 64]) {
  const runs: number[] = [];
  for (let run = 0; run < 5; run++) runs.push(await measure(jobs / 5, slots));
  runs.sort((a, b) => a - b);
  process.stdout.write(`${slots} slots: ${runs.map((us) => us.toFixed(2)).join(' ')} µs/job\n`);
}
