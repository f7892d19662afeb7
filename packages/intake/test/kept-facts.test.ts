import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type ClientId, type JsonValue } from '@connecta/contracts';
import type { Store } from '@connecta/store';
import { createIntake, type IdempotencyKey, type Intake, type IntakeRequest, type Outcome } from '../src/index.ts';
import { openWorld, type World } from './world.ts';

/** A client with a contract, and what its workflow runs; of each test its own. */
interface Place {
  client: string;
  clientId: ClientId;
  type: string;
  flow: string;
  inner: string;
}

type OrderKind = 'task' | 'told' | 'alias' | 'workflow' | 'contract';

let world: World;
let at: Place;
let places = 0;
beforeAll(async () => {
  world = await openWorld('kept-facts');
});
afterAll(() => world.close());
beforeEach(async () => {
  const n = ++places;
  const [client, type, flow, inner] = [`client${n}`, `type${n}`, `flow${n}`, `inner${n}`];
  await world.addProfile(`${type}/add`);
  await world.addProfile(`${type}/times`);
  await world.addProfile(`${type}/old`, { aliasOf: `${type}/add` });
  await world.addWorkflow(inner, 1, { steps: { a: { uses: `${type}/add` } } });
  await world.addWorkflow(flow, 1, { steps: { a: { uses: `${type}/add` }, b: { workflow: inner, needs: ['a'] } } });
  at = { client, clientId: await world.addClient(client, flow), type, flow, inner };
});

/** By another process. */
const sql = (text: string, ...values: unknown[]): Promise<unknown> => world.store.engine.query(text, values);
const edit = ({ type }: Place): Promise<unknown> =>
  sql(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = $1 AND name = 'add'`, type);
const tell = ({ type }: Place, behaviour: string): Promise<unknown> =>
  sql(
    `INSERT INTO worker_types (name, version, language, api_url, transport, owner_team, owner_contact, functions, behaviour)
     VALUES ($1, '1', 'ts', '', 'bullmq', 't', 'c', '[]', $2) ON CONFLICT (name) DO UPDATE SET behaviour = $2`,
    ...[type, behaviour],
  );
const removeAdd = ({ type }: Place): Promise<unknown> =>
  sql(`UPDATE profiles SET deleted_at = now() WHERE worker_type = $1 AND name = 'add'`, type);

/** An intake whose statements are listed, with what happens before each of them, and when it stores a value. */
function newIntake({
  before = async () => {},
  storing = async () => {},
}: { before?: (statement: string) => Promise<unknown>; storing?: () => Promise<unknown> } = {}): Intake & {
  statements: string[];
} {
  const statements: string[] = [];
  const query = async (statement: { name: string; text: string }): Promise<unknown> => {
    statements.push(statement.name);
    await before(statement.name);
    return world.store.pool.query(statement);
  };
  const pool = { query, connect: () => world.store.pool.connect() } as unknown as Store['pool'];
  const storeValue = async (): Promise<JsonValue> => {
    statements.push('store');
    await storing();
    return { blobId: newId() };
  };
  return Object.assign(createIntake({ store: { ...world.store, pool }, storeValue }), { statements });
}

const request = (order: JsonValue): IntakeRequest => world.request(order, { client: { name: at.client } });
const add = (more: { [member: string]: JsonValue } = {}): IntakeRequest =>
  request({ tasks: [`${at.type}/add`], ...more });
const planOf = async (outcome: Outcome | undefined): Promise<string> => {
  if (!outcome?.ok) throw outcome?.problem ?? new Error('there is no outcome');
  return (await world.store.prisma.order.findUniqueOrThrow({ where: { id: outcome.id } })).planId;
};
/** What a request comes to: its plan, or its problem. */
const endOf = async (intake: Intake, wanted: IntakeRequest): Promise<unknown> => {
  const [outcome] = await intake.accept([wanted]);
  return outcome?.ok === false ? outcome.problem.toDocument() : planOf(outcome);
};
const revisionOf = async (outcome: Outcome | undefined): Promise<number> => {
  const pins = await world.store.prisma.planProfile.findMany({ where: { planId: await planOf(outcome) } });
  return Math.max(...pins.map(({ profileRevision }) => profileRevision));
};
const codeOf = (outcome: Outcome | undefined): string => (outcome?.ok === false ? outcome.problem.code : 'accepted');

test('an order of what is known by heart is one statement, under a key as well', async () => {
  const intake = newIntake();
  await intake.accept([add()]);
  expect(intake.statements.splice(0)).toEqual(['read_intake_facts', 'find_plan_ids', 'find_plan_ids', 'insert_orders']);
  await intake.accept([add(), add({ input: 1 })]);
  await intake.accept([add()], { scope: 's', key: newId(), bodyHash: 'h' });
  expect(intake.statements).toEqual(['insert_orders', 'insert_orders']);
});

const orderOf = (kind: OrderKind, { type, flow }: Place): JsonValue => {
  if (kind === 'contract') return { input: 1 };
  if (kind === 'workflow') return { workflow: flow };
  return { tasks: [kind === 'alias' ? `${type}/old` : `${type}/add`] };
};

test.each<[string, OrderKind, (at: Place) => Promise<unknown>]>([
  ['an edited profile', 'task', edit],
  [
    'a renamed profile',
    'task',
    ({ type }) => sql(`UPDATE profiles SET name = name || 'x' WHERE worker_type = $1`, type),
  ],
  ['a deleted profile', 'task', removeAdd],
  ['a profile made anew', 'task', (here) => removeAdd(here).then(() => world.addProfile(`${here.type}/add`))],
  [
    'an alias that leads elsewhere',
    'alias',
    ({ type }) => sql(`UPDATE profiles SET alias_of = $1 || '/times' WHERE worker_type = $1 AND name = 'old'`, type),
  ],
  ['an edited profile behind an alias', 'alias', edit],
  ['an edited profile of a workflow', 'workflow', edit],
  [
    'a new version of a workflow',
    'workflow',
    ({ flow, type }) => world.addWorkflow(flow, 2, { steps: { b: { uses: `${type}/times` } } }),
  ],
  [
    'a new version of a workflow inside',
    'workflow',
    ({ inner, type }) => world.addWorkflow(inner, 2, { steps: { b: { uses: `${type}/times` } } }),
  ],
  [
    'a deleted workflow',
    'workflow',
    ({ flow }) => sql('UPDATE workflows SET deleted_at = now() WHERE name = $1', flow),
  ],
  [
    'another contract',
    'contract',
    ({ client, inner }) => sql('UPDATE clients SET workflow = $2 WHERE name = $1', client, inner),
  ],
  ['no contract', 'contract', ({ client }) => sql('UPDATE clients SET workflow = NULL WHERE name = $1', client)],
  ['a renamed client', 'task', ({ client }) => sql(`UPDATE clients SET name = name || 'x' WHERE name = $1`, client)],
  ['a deleted client', 'task', ({ client }) => sql('DELETE FROM clients WHERE name = $1', client)],
  ['what a function is said to do at last', 'task', (here) => tell(here, '{"math.add": {"version": "1"}}')],
  ['what a function is said to do from now on', 'told', (here) => tell(here, '{"math.add": {"version": "2"}}')],
])('%s counts for the next order', async (_, kind, change) => {
  if (kind === 'told') await tell(at, '{"math.add": {"version": "1"}}');
  const wanted = (): IntakeRequest => request(orderOf(kind, at));
  const intake = newIntake();
  const before = await endOf(intake, wanted());
  expect(typeof before).toBe('string');
  intake.statements.length = 0;
  expect(await endOf(intake, wanted())).toBe(before);
  expect(intake.statements).toEqual(['insert_orders']);
  await change(at);
  const after = await endOf(intake, wanted());
  expect(after).not.toEqual(before);
  expect(after).toEqual(await endOf(newIntake(), wanted()));
  expect(await endOf(intake, wanted())).toEqual(after);
});

describe('what nothing confirms later is looked at', () => {
  test('a refusal: what was missing may be there by now', async () => {
    const intake = newIntake();
    await sql('UPDATE clients SET workflow = NULL WHERE name = $1', at.client);
    expect(codeOf((await intake.accept([request({ input: 1 })]))[0])).toBe('no_workflow');
    await sql('UPDATE clients SET workflow = $2 WHERE name = $1', at.client, at.flow);
    expect(codeOf((await intake.accept([request({ input: 1 })]))[0])).toBe('accepted');
    expect(codeOf((await intake.accept([request({ tasks: [`${at.type}/new`] })]))[0])).toBe('unknown_task');
    await world.addProfile(`${at.type}/new`);
    expect(codeOf((await intake.accept([request({ tasks: [`${at.type}/new`] })]))[0])).toBe('accepted');
  });

  test('a blob, at every order', async () => {
    const [intake, blobId] = [newIntake(), await world.addBlob(at.clientId)];
    expect(codeOf((await intake.accept([add({ blobId })]))[0])).toBe('accepted');
    await sql(`UPDATE blobs SET state = 'deleting' WHERE id = $1`, blobId);
    expect(codeOf((await intake.accept([add({ blobId })]))[0])).toBe('unknown_blob');
  });

  test('an order that is only prepared or shown', async () => {
    const intake = newIntake();
    const [before] = await intake.accept([add()]);
    await edit(at);
    const shown = (await intake.preview(add())) as { row: { planId: string } };
    await edit(at);
    const [prepared] = (await intake.prepare([add()])) as { planId: string }[];
    const plans = [await planOf(before), shown.row.planId, prepared?.planId];
    expect(new Set(plans).size).toBe(3);
    expect(await planOf((await intake.accept([add()]))[0])).toBe(prepared?.planId);
  });
});

describe('an Idempotency-Key', () => {
  const newKey = (): IdempotencyKey => ({ scope: 's', key: newId(), bodyHash: 'h' });

  test('gives the same order again, or the mismatch, whether or not the request would still be accepted', async () => {
    const [intake, key] = [newIntake(), newKey()];
    await intake.accept([add()]);
    const [first] = await intake.accept([add()], key);
    const replayed = [{ ...first, replayed: true }];
    expect(await intake.accept([add()], key)).toEqual(replayed);
    expect(codeOf((await intake.accept([add()], { ...key, bodyHash: 'x' }))[0])).toBe('idempotency_mismatch');
    await removeAdd(at);
    expect(await intake.accept([add()], key)).toEqual(replayed);
    expect(await intake.accept([request({ tasks: [] })], key)).toEqual(replayed);
    expect(codeOf((await intake.accept([add()], { ...key, bodyHash: 'x' }))[0])).toBe('idempotency_mismatch');
    expect(codeOf((await intake.accept([add()], newKey()))[0])).toBe('unknown_task');
  });

  test('is looked up before a large input is stored', async () => {
    const [intake, key, input] = [newIntake(), newKey(), 'x'.repeat(9000)];
    const [first] = await intake.accept([add({ input })], key);
    intake.statements.length = 0;
    expect(await intake.accept([add({ input })], key)).toEqual([{ ...first, replayed: true }]);
    expect(intake.statements).toEqual(['read_intake_facts']);
  });

  test('makes one order of concurrent calls whose facts have changed', async () => {
    const [intake, key] = [newIntake(), newKey()];
    await intake.accept([add()]);
    await edit(at);
    const outcomes = await Promise.all([0, 1, 2].map(() => intake.accept([add()], key)));
    expect(new Set(outcomes.map(([outcome]) => outcome?.ok && outcome.id)).size).toBe(1);
    expect(await revisionOf(outcomes[0]?.[0])).toBe(2);
  });
});

describe('a change while an order is accepted', () => {
  test('before its insert: it is prepared anew, its large input is stored once', async () => {
    const intake = newIntake({ storing: () => edit(at) });
    const [outcome] = await intake.accept([add({ input: 'x'.repeat(9000) })]);
    expect(await revisionOf(outcome)).toBe(2);
    expect(intake.statements.filter((name) => name === 'store')).toHaveLength(1);
    expect(intake.statements.filter((name) => name === 'insert_orders')).toHaveLength(2);
  });

  test('before its look: what was known by heart is not mixed with what is read', async () => {
    const intake = newIntake();
    await intake.accept([add()]);
    await edit(at);
    intake.statements.length = 0;
    const [outcome] = await intake.accept([request({ tasks: [`${at.type}/add`, `${at.type}/times`] })]);
    expect(await revisionOf(outcome)).toBe(2);
    expect(intake.statements.filter((name) => name === 'insert_orders')).toHaveLength(1);
  });

  test('all the time: it is accepted all the same, with a revision that was current after it was sent', async () => {
    const intake = newIntake({ before: () => edit(at) });
    const outcomes = await Promise.all([
      intake.accept([add(), request({ workflow: at.flow }), request({ tasks: [`${at.type}/none`] })]),
      intake.accept([add()], { scope: 's', key: newId(), bodyHash: 'h' }),
    ]);
    expect(outcomes.flat().map(codeOf)).toEqual(['accepted', 'accepted', 'unknown_task', 'accepted']);
    expect(intake.statements.filter((name) => name === 'insert_orders').length).toBeLessThan(6);
    const sent = intake.statements.length;
    const [outcome] = await intake.accept([add()]);
    expect(await revisionOf(outcome)).toBeGreaterThan(sent);
  });
});
