import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isBlobRef, type BlobRef, type JsonValue } from '@connecta/contracts';
import { Closers, silentLogger } from '@connecta/runtime';
import { startRunner, startWorkerApi, type Runner, type WorkerApi } from '../src/index.ts';
import { Harness, until } from './harness.ts';
import { logOf } from './log-of.ts';
import { aborted, WORKER_TYPE, workerType } from './worker-type.ts';

const key = randomBytes(32).toString('base64url');
const closers = new Closers();
let harness: Harness;
let api: WorkerApi;
let runner: Runner;
const common = () => ({
  beApiUrl: harness.beApiUrl,
  serviceAccountKey: harness.serviceAccountKey,
  databaseUrl: harness.workerDatabaseUrl,
  profileEncryptionKey: key,
  formerEncryptionKeys: [],
  dataDir: undefined,
  logLevel: 'silent' as const,
  parentWatch: 'none' as const,
  stopTimeoutMs: 5_000,
});
const newRunner = (slots = 4, onDrained = (): void => undefined): Runner =>
  startRunner({
    workerType,
    config: { ...common(), slots, directBlobs: undefined },
    log: silentLogger(),
    closers,
    partitionMs: 1_500,
    onDrained,
  });
const gateway = async (method: string, path: string, body?: object, headers: object = {}) => {
  const response = await fetch(api.url + path, {
    method,
    headers: { authorization: 'Bearer gate', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as { id: string; items: { id: string; name: string }[] };
};
const profileOf = async (name: string): Promise<string> => {
  const { items } = await gateway('GET', `/v1/profiles?name=${name.replace('.', '-')}`);
  return items[0]?.id ?? '';
};
const send = async (name: string, input: JsonValue) =>
  harness.sendJob({ function: name, profileId: await profileOf(name), input });

beforeAll(async () => {
  harness = await Harness.open('kit');
  // Both processes start before be-api does.
  api = await startWorkerApi({
    workerType,
    config: {
      ...common(),
      port: 0,
      host: '127.0.0.1',
      publicUrl: undefined,
      gatewayKey: 'gate',
      responseValidation: true,
    },
    log: silentLogger(),
    closers,
  });
  runner = newRunner();
  await sleep(300);
  await harness.startBeApi();
  await Promise.all([api.registered, runner.ready]);
}, 90_000);
afterAll(async () => {
  await closers.close();
  await harness.close();
});

describe('a worker type', () => {
  test('is known to be-api with its functions and profiles, although it came first', async () => {
    const types = await harness.sql(`SELECT name, api_url, jsonb_array_length(functions) AS n FROM worker_types`);
    expect(types).toEqual([{ name: WORKER_TYPE, api_url: api.url, n: 6 }]);
    const profiles = await harness.sql<{ name: string }>(`SELECT name FROM profiles ORDER BY name`);
    expect(profiles.map(({ name }) => name)).toEqual([
      'test-echo',
      'test-fail',
      'test-hang',
      'test-log',
      'test-parent',
      'test-reverse',
    ]);
  });

  test('has what its functions log kept with the attempt, without the secrets of the settings', async () => {
    const lines = await logOf(harness, await send('test.log', 1200), 1200);
    expect(lines[0]).toEqual({ message: 'line 1 with [redacted]', password: '[redacted]' });
    expect(lines.at(-1)).toMatchObject({ message: 'line 1200 with [redacted]' });
  });

  test('tells changes of its profiles, also those made while be-api was away', async () => {
    const told = (name: string) =>
      until(
        async () =>
          (
            await harness.sql<{ revision: number; deleted: boolean }>(
              `SELECT revision, deleted_at IS NOT NULL AS deleted FROM profiles WHERE name = $1`,
              [name],
            )
          )[0],
      );
    const { id } = await gateway('POST', '/v1/profiles', { name: 'told', function: 'test.echo', settings: {} });
    expect(await told('told')).toEqual({ revision: 1, deleted: false });
    await harness.killBeApi();
    await gateway(
      'PUT',
      `/v1/profiles/${id}`,
      { name: 'told', function: 'test.echo', settings: { a: 1 } },
      { 'if-match': '"1"' },
    );
    await gateway('POST', '/v1/profiles', { name: 'meanwhile', function: 'test.echo', settings: {} });
    await harness.startBeApi();
    expect(await told('meanwhile')).toEqual({ revision: 1, deleted: false });
    await until(async () => ((await told('told')).revision === 2 ? true : undefined));
  });
});

describe('a runner', () => {
  test('runs jobs and reports each once', async () => {
    const jobs = await Promise.all(Array.from({ length: 40 }, (_, i) => send('test.echo', i)));
    const ends = await Promise.all(jobs.map((job) => harness.end(job)));
    expect(ends.map((end) => end.type === 'completed' && end.value)).toEqual(jobs.map((_, i) => i));
    expect(new Set(ends.map((end) => end.instance))).toEqual(new Set([runner.instance]));
    const completed = harness.reports.filter(({ jobId, type }) => jobs.includes(jobId) && type === 'completed');
    expect(completed).toHaveLength(40);
  });

  test('reads and writes blobs under the lease, and large values travel as blobs', async () => {
    for (const size of [300_000, 6_000_000]) {
      const bytes = randomBytes(size);
      const done = await harness.end(await send('test.reverse', await harness.blob(bytes, 'application/octet-stream')));
      expect(done).toMatchObject({ type: 'completed', value: { mediaType: 'text/plain', size } });
      const made = (done as { value: JsonValue }).value as BlobRef;
      expect((await harness.bytesOf(made)).equals(Buffer.from(bytes).reverse())).toBe(true);
    }

    const large = await harness.end(
      await send(
        'test.echo',
        await harness.blob(Buffer.from(JSON.stringify({ a: 'x'.repeat(20_000) })), 'application/json'),
      ),
    );
    const value = (large as { value: JsonValue }).value;
    expect(isBlobRef(value)).toBe(true);
    expect(JSON.parse((await harness.bytesOf(value as BlobRef)).toString())).toEqual({ a: 'x'.repeat(20_000) });
  });

  test('reports failures, also of a foreign blob and an unknown profile', async () => {
    expect(await harness.end(await send('test.fail', 1))).toMatchObject({
      error: { kind: 'business', code: 'refused' },
    });
    const foreign = {
      blobId: '01890000-0000-7000-8000-000000000000',
      mediaType: 'text/plain',
      size: 1,
      sha256: 'a'.repeat(64),
    };
    expect(await harness.end(await send('test.reverse', foreign as BlobRef))).toMatchObject({
      error: { kind: 'permanent', code: 'not_found' },
    });
    const unknown = await harness.sendJob({
      function: 'test.echo',
      profileId: '01890000-0000-7000-8000-000000000000',
      input: 1,
    });
    expect(await harness.end(unknown)).toMatchObject({ error: { kind: 'permanent', code: 'unknown_profile' } });
  });

  test('places a child order once, and waits for its end', async () => {
    const job = await send('test.parent', 5);
    const children = () =>
      harness.sql<{ id: string; input: JsonValue }>(`SELECT id, input FROM orders WHERE parent_job_id = $1`, [job]);
    const [child] = await until(async () => ((await children()).length > 0 ? children() : undefined));
    expect(child?.input).toBe(5);
    await harness.sql(`UPDATE orders SET state = 'completed', result = '10', finished_at = now() WHERE id = $1`, [
      child?.id,
    ]);
    await harness.sql(`NOTIFY connecta_orders, '*'`);
    expect(await harness.end(job)).toMatchObject({ value: ['completed', 10, null] });
    expect(await children()).toHaveLength(1);
  });

  test('ends what was cancelled, and drops what another attempt replaced', async () => {
    const cancelled = await send('test.hang', 1);
    const replaced = await send('test.hang', 2);
    const held = () => harness.sql<{ job_id: string }>(`SELECT job_id FROM job_holds`);
    await until(async () =>
      (await held()).filter(({ job_id }) => job_id === cancelled || job_id === replaced).length === 2
        ? true
        : undefined,
    );
    await harness.sql(`UPDATE orders SET state = 'cancelled' WHERE id = (SELECT order_id FROM jobs WHERE id = $1)`, [
      cancelled,
    ]);
    await harness.sql(`UPDATE jobs SET attempt = 2 WHERE id = $1`, [replaced]);
    expect(await harness.end(cancelled)).toMatchObject({ error: { kind: 'permanent', code: 'cancelled' } });
    await until(() => (aborted.includes(replaced) ? true : undefined));
    await sleep(300);
    expect(
      harness.reports
        .filter(({ jobId }) => jobId === replaced)
        .map(({ type }) => type)
        .filter((t) => t === 'failed' || t === 'completed'),
    ).toEqual([]);
    expect(harness.reports.filter(({ jobId }) => jobId === cancelled).map(({ type }) => type)).toEqual([
      'started',
      'progress',
      'failed',
    ]);
  });

  test('registers again when it is not known any more', async () => {
    await harness.sql(`DELETE FROM worker_instances`);
    const rows = await until(async () => {
      const found = await harness.sql<{ instance: string }>(`SELECT instance FROM worker_instances ORDER BY instance`);
      return found.length === 2 ? found : undefined;
    });
    expect(rows.map(({ instance }) => instance)).toEqual([api.instance, runner.instance].sort());
    expect(await harness.end(await send('test.echo', 1))).toMatchObject({ value: 1 });
  });

  test('takes no work while it is cut off from be-api, and goes on afterwards', async () => {
    await harness.killBeApi();
    await sleep(4_000);
    const job = await send('test.echo', 'late');
    await sleep(1_000);
    expect(harness.reports.some(({ jobId }) => jobId === job)).toBe(false);
    await harness.startBeApi();
    expect(await harness.end(job)).toMatchObject({ value: 'late' });
  });

  test('that is told to drain leaves when its work is done', async () => {
    const drained = Promise.withResolvers<string>();
    const other = newRunner(2, () => drained.resolve('drained'));
    await other.ready;
    await harness.sql(`UPDATE worker_instances SET drain_asked_at = now() WHERE instance = $1`, [other.instance]);
    expect(await drained.promise).toBe('drained');
    const rows = await harness.sql(`SELECT state FROM worker_instances WHERE instance = $1`, [other.instance]);
    expect(rows).toEqual([{ state: 'gone' }]);
  });

  test('that stops finishes or gives up what it holds, and leaves', async () => {
    const other = newRunner(2);
    await other.ready;
    await runner.stop();
    const job = await send('test.hang', 3);
    await until(() => (harness.reports.some((r) => r.jobId === job && r.type === 'started') ? true : undefined));
    await other.stop(200);
    expect(await harness.end(job)).toMatchObject({
      error: { kind: 'retryable', code: 'runner_stopped' },
      retryAfterMs: 0,
    });
    const states = await harness.sql(
      `SELECT DISTINCT state FROM worker_instances WHERE slots > 0 AND ended_at IS NULL`,
    );
    expect(states).toEqual([]);
  });
});
