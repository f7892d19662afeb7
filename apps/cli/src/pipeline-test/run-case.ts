import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Order, OrderRequest } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';
import { orderEvents } from '../orders/order-events.ts';
import { placeOrder } from '../orders/place-order.ts';
import type { Session } from '../session.ts';
import { sendFile } from '../uploads/send-file.ts';
import { extensionOf } from '../uploads/local-file.ts';
import { compareBlobs, readBlob } from './compare-blobs.ts';
import { blobsIn, compareValues, withFiles, withoutIds, type Difference } from './compare-outcomes.ts';
import { CASE_FILES, type Outcome, type TestCase } from './test-case.ts';
import type { TestSpace } from './test-space.ts';

/** Larger blobs are compared by their hash alone. */
const MOST_RECORDED_BYTES = 20 * 1024 * 1024;

/** How a case came out. */
export interface CaseReport {
  readonly name: string;
  readonly verdict: 'same' | 'different' | 'recorded' | 'not recorded';
  readonly orderId: string;
  readonly tookMs: number;
  readonly differences: readonly Difference[];
  readonly expected: Outcome | undefined;
  readonly actual: Outcome;
}

/** Runs a case's input through the pipeline and compares what comes out, or records it. */
export async function runCase(
  session: Session,
  test: TestCase,
  { space, update }: { space: TestSpace; update: boolean },
): Promise<CaseReport> {
  const begun = Date.now();
  const order = await runOrder(session, test, space);
  const actual = outcomeOf(order);
  const report = { name: test.name, orderId: order.id, tookMs: Date.now() - begun, expected: test.expected, actual };
  if (!update && !test.expected) return { ...report, verdict: 'not recorded', differences: [] };
  const differences = test.expected
    ? await differencesOf(session, { test, order, actual, expected: test.expected })
    : [];
  if (!update || (test.expected && differences.length === 0)) {
    return { ...report, verdict: differences.length === 0 ? 'same' : 'different', differences };
  }
  await record(session, test, order, actual);
  return { ...report, verdict: 'recorded', differences };
}

async function runOrder(session: Session, test: TestCase, space: TestSpace): Promise<Order> {
  const { api } = session;
  const { input } = test;
  const request: OrderRequest = {
    client: space.client,
    workflow: space.workflow,
    // A result of an earlier run would prove nothing.
    ...(space.mayCache ? { cache: false as const } : {}),
    ...(test.params ? { params: test.params } : {}),
    ...(input && 'file' in input
      ? { blobId: await sendFile(session, input.file, { client: space.client, quiet: true }) }
      : {}),
    ...(input && 'value' in input ? { input: input.value } : {}),
  };
  const { id } = await placeOrder(api, request);
  try {
    for await (const _event of orderEvents(api, id, { interrupted: session.interrupted }));
  } catch (error) {
    if (!session.interrupted.aborted) throw error;
    throw new CliError(EXIT.interrupted, `The order ${id} of the case '${test.name}' goes on.`);
  }
  return api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id } } }));
}

function outcomeOf({ state, result, error }: Order): Outcome {
  return {
    state,
    ...(result === undefined ? {} : { result: withoutIds(result) }),
    ...(error ? { error: { code: error.code } } : {}),
  };
}

async function differencesOf(
  { api }: Session,
  { test, order, actual, expected }: { test: TestCase; order: Order; actual: Outcome; expected: Outcome },
): Promise<Difference[]> {
  const { differences, blobs } = compareValues(expected, actual, test.tolerance);
  const ids = new Map(blobsIn(order.result, '/result').map(({ path, blobId }) => [path, blobId]));
  const inBlobs: Difference[] = [];
  for (const pair of blobs) {
    const { folder, tolerance } = test;
    inBlobs.push(...(await compareBlobs(pair, { api, blobId: ids.get(pair.path) ?? '', folder, tolerance })));
  }
  return [...differences, ...inBlobs];
}

/** Writes what came out, with the bytes of what can be compared by more than its hash. */
async function record({ api }: Session, test: TestCase, order: Order, actual: Outcome): Promise<void> {
  const folder = join(test.folder, CASE_FILES.blobs);
  await rm(folder, { recursive: true, force: true });
  const files = new Map<string, string>();
  for (const { path, blobId, mediaType, size } of blobsIn(order.result, '/result')) {
    if (!/^image\/|json|^text\//.test(mediaType) || size > MOST_RECORDED_BYTES) continue;
    await mkdir(folder, { recursive: true });
    const name = `${path.slice(1).replace(/[^\w-]+/g, '-')}${extensionOf(mediaType)}`;
    await writeFile(join(folder, name), await readBlob(api, blobId));
    files.set(path, `${CASE_FILES.blobs}/${name}`);
  }
  await writeFile(join(test.folder, CASE_FILES.expected), `${JSON.stringify(withFiles(actual, files), null, 2)}\n`);
}
