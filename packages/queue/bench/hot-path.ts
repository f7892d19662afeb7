/**
 * What one delivery costs: enqueue → consume → publish → read → acknowledge, an orchestrator and a worker process.
 *
 *   node packages/queue/bench/hot-path.ts --url redis://127.0.0.1:6379 --kind redis|postgres --jobs 20000
 *     --inflight 50 --slots 50 --above 64 --size 8 (packs) --prof <directory for the worker's CPU profile>
 */
import { fork, type ChildProcess } from 'node:child_process';
import { parseArgs } from 'node:util';
import { newId, deliveryId, type JobId, type JobMessage, type ProfileId } from '@connecta/contracts';
import { Redis } from 'ioredis';
import { openQueue, type Delivery, type QueueBackend } from '../src/index.ts';

const { values: given } = parseArgs({
  options: {
    url: { type: 'string', default: 'redis://127.0.0.1:6379' },
    kind: { type: 'string', default: 'redis' },
    prefix: { type: 'string', default: 'queuebench' },
    jobs: { type: 'string', default: '10000' },
    inflight: { type: 'string', default: '50' },
    slots: { type: 'string', default: '50' },
    above: { type: 'string', default: '64' },
    size: { type: 'string', default: '8' },
    prof: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});
const { url, prefix } = given;
const kind = given.kind === 'postgres' ? 'postgres' : 'redis';
const TYPE = 'bench';
const open = (): QueueBackend =>
  openQueue({
    kind,
    url,
    prefix,
    pack: { above: Number(given.above), size: Number(given.size), putBackMs: 250 },
    onError: (error) => console.error(error.message),
  });

const profile = newId<ProfileId>();
const lease = 'x'.repeat(180);
function delivery(): Delivery {
  const data: JobMessage = {
    value: 5,
    profileId: profile,
    profileRevision: 12,
    lease,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  return { id: deliveryId(newId<JobId>(), 1), name: 'math.add', data };
}
const enqueue = (queue: QueueBackend, count: number): Promise<void> =>
  queue.jobs.enqueue(new Map([[TYPE, Array.from({ length: count }, delivery)]]));

async function worker(): Promise<void> {
  const queue = open();
  const consumer = queue.jobs.consume(TYPE, {
    instance: 'bench',
    slots: Number(given.slots),
    handle: (job) =>
      queue.events.publish(TYPE, [
        {
          type: 'completed',
          jobId: job.id.slice(0, 36) as JobId,
          attempt: 1,
          lease: job.data.lease,
          instance: 'bench',
          at: new Date().toISOString(),
          startedAt: new Date().toISOString(),
          value: 7,
        },
      ]),
  });
  await consumer.ready;
  process.send?.('ready');
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'cpu') process.send?.(user + system);
    else void queue.close().then(() => process.exit(0));
  });
}

interface Cpu {
  orchestrator: number;
  worker: number;
  store: number;
}

/** CPU time so far, in microseconds: steadier than a rate on a machine that others use too. */
async function cpu(child: ChildProcess): Promise<Cpu> {
  const answer = new Promise<number>((resolve) => child.once('message', (used) => resolve(Number(used))));
  child.send('cpu');
  let store = 0;
  if (kind === 'redis') {
    const redis = new Redis(url);
    for (const [, seconds] of (await redis.info('cpu')).matchAll(/used_cpu_(?:sys|user):([\d.]+)/g))
      store += Number(seconds) * 1e6;
    redis.disconnect();
  }
  const { user, system } = process.cpuUsage();
  return { orchestrator: user + system, worker: await answer, store };
}

async function perJob(child: ChildProcess, jobs: number, work: () => Promise<unknown>): Promise<void> {
  const before = await cpu(child);
  await work();
  const after = await cpu(child);
  const cost = (who: keyof Cpu): string => ((after[who] - before[who]) / jobs).toFixed(0);
  console.log(`  CPU µs a job: orchestrator ${cost('orchestrator')}, worker ${cost('worker')}, store ${cost('store')}`);
}

/** Takes `jobs` reports, and hands out as many deliveries again as came back while `inFlight` are wanted. */
async function closedLoop(queue: QueueBackend, jobs: number, inFlight: number): Promise<number> {
  const reader = queue.events.reader({ consumer: 'bench', workerTypes: () => [TYPE] });
  let sent = Math.min(inFlight, jobs);
  let done = 0;
  let batches = 0;
  const start = performance.now();
  await enqueue(queue, sent);
  while (done < jobs) {
    const batch = await reader.read({ max: 1_000, blockMs: 1_000 });
    if (batch.events.length === 0) continue;
    batches++;
    done += batch.events.length;
    const more = Math.min(batch.events.length, jobs - sent);
    sent += more;
    if (more > 0) await enqueue(queue, more);
    void batch.ack();
  }
  const ms = performance.now() - start;
  await reader.close();
  console.log(
    `${inFlight} in flight: ${Math.round((jobs / ms) * 1000)} jobs/s (${jobs} jobs, ${(jobs / batches).toFixed(1)} a batch)`,
  );
  return ms;
}

async function oneByOne(queue: QueueBackend, jobs: number): Promise<void> {
  const reader = queue.events.reader({ consumer: 'bench', workerTypes: () => [TYPE] });
  const times: number[] = [];
  for (let at = 0; at < jobs; at++) {
    const start = performance.now();
    await enqueue(queue, 1);
    let batch = await reader.read({ max: 1_000, blockMs: 1_000 });
    while (batch.events.length === 0) batch = await reader.read({ max: 1_000, blockMs: 1_000 });
    times.push(performance.now() - start);
    void batch.ack();
  }
  await reader.close();
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  console.log(`one at a time: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms (${jobs} jobs)`);
}

async function backlog(queue: QueueBackend, jobs: number): Promise<void> {
  const reader = queue.events.reader({ consumer: 'bench', workerTypes: () => [TYPE] });
  const start = performance.now();
  const adding = (async () => {
    for (let at = 0; at < jobs; at += 500) await enqueue(queue, Math.min(500, jobs - at));
    return performance.now() - start;
  })();
  for (let done = 0; done < jobs;) {
    const batch = await reader.read({ max: 1_000, blockMs: 1_000 });
    done += batch.events.length;
    void batch.ack();
  }
  const ms = performance.now() - start;
  await reader.close();
  const rate = Math.round((jobs / ms) * 1000);
  console.log(`backlog in calls of 500: ${rate} jobs/s (${jobs} jobs, added in ${Math.round(await adding)} ms)`);
}

async function main(): Promise<void> {
  const queue = open();
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--worker'], {
    execArgv: given.prof ? ['--cpu-prof', `--cpu-prof-dir=${given.prof}`] : [],
  });
  await new Promise((resolve) => child.once('message', resolve));
  const jobs = Number(given.jobs);
  await closedLoop(queue, 1_000, 50);
  await oneByOne(queue, 500);
  await perJob(child, jobs, () => closedLoop(queue, jobs, Number(given.inflight)));
  await perJob(child, jobs, () => backlog(queue, jobs));
  child.send('stop');
  await new Promise((resolve) => child.once('exit', resolve));
  await queue.close();
}

await (given.worker ? worker() : main());
