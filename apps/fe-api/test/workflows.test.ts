import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_workflows');
}, 60_000);
afterAll(() => world.close());

const yaml = `
name: in-yaml
description: two steps
steps:
  first:  { uses: math/one }
  second: { uses: math/two, needs: [first] }
output: second
`;
const chain = (name: string, uses = 'math/one') => ({ name, steps: { a: { uses } } });

describe('workflows', () => {
  test('are written in YAML or JSON, and versioned', async () => {
    const created = await world.send('post', '/v1/workflows').type('application/yaml').send(yaml);
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ etag: '"1"', location: '/v1/workflows/in-yaml' });
    expect(Object.keys(created.body.definition.steps)).toEqual(['first', 'second']);
    const path = '/v1/workflows/in-yaml';
    const same = await world.send('put', path).set('if-match', '"1"').send(created.body.definition);
    expect(same.body.version).toBe(1);
    const changed = await world.send('put', path).set('if-match', '"1"').send(chain('in-yaml'));
    expect([changed.status, changed.headers['etag'], changed.body.version]).toEqual([200, '"2"', 2]);
    expect((await world.send('put', path).set('if-match', '"1"').send(chain('in-yaml', 'math/two'))).status).toBe(412);
    expect((await world.send('put', path).send(chain('in-yaml'))).status).toBe(428);
    expect((await world.send('put', path).set('if-match', '*').send(chain('other'))).status).toBe(400);
    const versions = await world.as('viewer')('get', `${path}/versions`);
    expect(versions.body.items.map((item: { version: number }) => item.version)).toEqual([2, 1]);
    expect((await world.send('get', `${path}/versions/1`)).body.definition.description).toBe('two steps');
    expect((await world.send('get', `${path}/versions/3`)).status).toBe(404);
  });

  test('are deleted unless a contract names them, and go on counting when they come back', async () => {
    await world.send('post', '/v1/workflows').send(chain('passing'));
    const client = await world.send('post', '/v1/clients').send({ name: 'holder', workflow: 'passing' });
    const inUse = await world.send('delete', '/v1/workflows/passing').set('if-match', '"1"');
    expect(inUse.body.code).toBe('in_use');
    await world.send('delete', `/v1/clients/${client.body.id}`).set('if-match', '"1"');
    expect((await world.send('delete', '/v1/workflows/passing').set('if-match', '"1"')).status).toBe(204);
    expect((await world.send('get', '/v1/workflows/passing')).status).toBe(404);
    expect((await world.send('post', '/v1/orders').send({ workflow: 'passing' })).body.code).toBe('unknown_workflow');
    expect((await world.send('post', '/v1/workflows').send(chain('passing', 'math/two'))).body.version).toBe(2);
  });

  test('stay while a schedule or another workflow names them, be it by a parameter, and who does is told', async () => {
    for (const name of ['wanted', 'wanted-too']) await world.send('post', '/v1/workflows').send(chain(name));
    const refused = async (): Promise<string> => {
      const answer = await world.send('delete', '/v1/workflows/wanted').set('if-match', '"1"');
      expect([answer.status, answer.body.code]).toEqual([409, 'in_use']);
      return answer.body.detail;
    };
    const steps = (workflow: unknown) => ({ steps: { a: { workflow } } });
    const others = [
      { name: 'inner', ...steps('wanted@1') },
      { name: 'otherwise', ...steps({ param: 'pick', default: 'wanted' }) },
      { name: 'preset', params: { pick: { default: 'wanted' } }, ...steps({ param: 'pick' }) },
    ];
    for (const other of others) {
      expect((await world.send('post', '/v1/workflows').send(other)).status).toBe(201);
      expect(await refused()).toContain(`workflows (${other.name})`);
      await world.send('put', `/v1/workflows/${other.name}`).set('if-match', '"1"').send(chain(other.name));
    }
    const picks = { name: 'picks', ...steps({ param: 'pick', default: 'wanted-too' }) };
    await world.send('post', '/v1/workflows').send(picks);
    const params = { pick: 'wanted' };
    const orders = [
      { workflow: 'wanted' },
      steps('wanted'),
      steps({ param: 'pick', default: 'wanted@1' }),
      { ...steps({ param: 'pick', default: 'wanted-too' }), params },
      { workflow: 'picks', params },
      { workflow: 'picks@1', params },
    ];
    for (const [i, order] of orders.entries()) {
      const schedule = await world.send('post', '/v1/schedules').send({ name: `s${i}`, every: '1d', order });
      expect(schedule.status).toBe(201);
      expect(await refused()).toContain(`schedules (s${i})`);
      await world.send('delete', `/v1/schedules/${schedule.body.id}`).set('if-match', '"1"');
    }
    // Values that are no names of workflows keep none.
    const other = { name: 'other', every: '1d', order: { workflow: 'picks', params: { mode: 'wanted' } } };
    const { body } = await world.send('post', '/v1/schedules').send(other);
    expect((await world.send('delete', '/v1/workflows/wanted').set('if-match', '"1"')).status).toBe(204);
    await world.send('delete', `/v1/schedules/${body.id}`).set('if-match', '"1"');
  });

  test('of a name that is taken are refused, and repeats under a key are not', async () => {
    const send = (uses: string) =>
      world.send('post', '/v1/workflows').set('idempotency-key', 'w1').send(chain('keyed', uses));
    expect((await send('math/one')).status).toBe(201);
    expect((await send('math/one')).status).toBe(200);
    expect((await send('math/two')).body.code).toBe('idempotency_mismatch');
    expect((await world.send('post', '/v1/workflows').send(chain('keyed'))).body.code).toBe('name_taken');
    expect((await world.send('post', '/v1/workflows').send(chain('validate'))).body.code).toBe('invalid_workflow');
  });

  test('are listed by name', async () => {
    const page = await world.send('get', '/v1/workflows?limit=1');
    expect(page.body.items).toHaveLength(1);
    const next = await world.send('get', `/v1/workflows?limit=100&cursor=${page.body.nextCursor}`);
    expect(next.body.items.map((item: { name: string }) => item.name)).toContain('keyed');
  });

  test('are checked with all faults at once, each with its place and, in YAML, its line', async () => {
    const broken = `steps:
  a: { uses: math/onne, needs: [b] }
  b: { uses: math/one, needs: [a, gone] }
output: nothing
`;
    const { status, body } = await world.send('post', '/v1/workflows/validate').type('text/yaml').send(broken);
    expect(status).toBe(200);
    expect(body.valid).toBe(false);
    expect(body.errors.map((fault: { path: string }) => fault.path).sort()).toEqual([
      '/output',
      '/steps/a/needs',
      '/steps/a/uses',
      '/steps/b/needs/1',
    ]);
    const typo = body.errors.find((fault: { path: string }) => fault.path === '/steps/a/uses');
    expect(typo).toMatchObject({
      code: 'unknown_task',
      message: expect.stringMatching(/did you mean 'math\/one'/),
      line: 2,
      column: 14,
    });
    const refused = await world.send('post', '/v1/workflows').send({ name: 'x', steps: { a: { uses: 'x', y: 1 } } });
    expect([refused.status, refused.body.code, refused.body.errors.length]).toEqual([422, 'invalid_workflow', 2]);
    // Its name is one of them, told once
    const unnamed = await world.send('post', '/v1/workflows').send({ output: 'b', steps: { a: { uses: 'x', y: 1 } } });
    expect(unnamed.status).toBe(422);
    expect(unnamed.body.errors.map((fault: { path: string }) => fault.path)).toEqual([
      '/name',
      '/steps/a/y',
      '/steps/a/uses',
      '/output',
    ]);
    for (const wrong of [{ name: 1 }, chain('validate')]) {
      const { status: refusal, body: told } = await world.send('post', '/v1/workflows').send(wrong);
      expect(refusal).toBe(422);
      expect(told.errors.filter(({ path }: { path: string }) => path === '/name')).toHaveLength(1);
    }
    const list = await world.send('post', '/v1/workflows').type('application/yaml').send('- a');
    expect([list.status, list.body.errors]).toEqual([422, [expect.objectContaining({ path: '' })]]);
    const fine = await world.send('post', '/v1/workflows/validate').send(chain('fine'));
    expect(fine.body).toEqual({ valid: true, errors: [] });
  });

  test('see expressions, edges and inner workflows checked too', async () => {
    const broken = `name: outer
steps:
  a: { uses: math/one, if: inptu > 1, timeouts: { ack: 0s } }
  b:
    workflow: gone
    needs: [a]
    with: { x: steps.c.result }
  c: { workflow: outer }
`;
    const { body } = await world.send('post', '/v1/workflows/validate').type('text/yaml').send(broken);
    expect(body.errors.map((fault: { line: number; path: string }) => [fault.line, fault.path])).toEqual([
      [3, '/steps/a/timeouts/ack'],
      [3, '/steps/a/if'],
      [7, '/steps/b/with/x'],
      [5, '/steps/b/workflow'],
      [8, '/steps/c/workflow'],
    ]);
  });

  test('that are no YAML are told all of it at once, each with its line', async () => {
    const text = 'name: [a\nsteps:\n  a: { uses: b, uses: c }\n  d: *e\n';
    const { status, body } = await world.send('post', '/v1/workflows/validate').type('text/yaml').send(text);
    expect([status, body.code, body.detail]).toEqual([400, 'bad_request', expect.stringContaining('line 2')]);
    expect(body.errors.map(({ line, message }: { line: number; message: string }) => [line, message])).toEqual([
      [2, expect.stringContaining('end with a ]')],
      [3, 'Map keys must be unique'],
      [4, 'aliases are not allowed: *e'],
    ]);
  });

  test('give inner workflows what these take', async () => {
    const params = { size: { type: 'number', required: true }, title: { type: 'string' } };
    await world.send('post', '/v1/workflows').send({ ...chain('takes'), params });
    const steps = {
      a: { workflow: 'takes', params: { szie: 1 } },
      b: { workflow: 'takes', params: { size: true, title: 'input.title' } },
      c: { workflow: 'takes', params: { size: 'input.size' } },
    };
    const { status, body } = await world.send('post', '/v1/workflows').send({ name: 'gives', steps });
    expect(status).toBe(422);
    expect(body.errors.map((fault: { path: string }) => fault.path)).toEqual([
      '/steps/a/params/szie',
      '/steps/a/params/size',
      '/steps/b/params/size',
    ]);
  });

  test('have a published schema', async () => {
    const { status, body } = await world.send('get', '/v1/workflow-schema').set('authorization', '');
    expect([status, body.$schema]).toEqual([200, 'https://json-schema.org/draft/2020-12/schema']);
    expect(Object.keys(body.properties)).toEqual(expect.arrayContaining(['steps', 'routes', 'sinks']));
  });
});

describe('YAML that means harm', () => {
  test.each([
    ['aliases that multiply', `a: &a [x, x]\nsteps: [*a, *a]`],
    ['deep nesting', '['.repeat(20_000)],
    ['broken syntax', 'steps: {a: '],
    ['a name twice', 'steps: {a: {uses: math/one}, a: {uses: math/two}}'],
    ['a tag of a class', 'steps: !!js/function "x"'],
    ['nothing', '# only a comment'],
    ['NUL', 'name: "a\\0b"'],
  ])('%s', async (_title, text) => {
    const { status } = await world.send('post', '/v1/workflows').type('application/yaml').send(text);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});
