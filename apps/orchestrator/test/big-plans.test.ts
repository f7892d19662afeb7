import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId } from '@connecta/contracts';
import { MAX_STEPS } from '@connecta/contracts';
import type { Plan } from '@connecta/domain';
import type { EngineParts } from '../src/engine/drafts.ts';
import type { Outcome } from '../src/engine/outcome.ts';
import { apply, completed, expectConsistent, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const names = (prefix: string, size: number): string[] => Array.from({ length: size }, (_, i) => `${prefix}${i}`);
const stepsOf = (steps: readonly string[], needs: (i: number) => string[]): Plan['steps'] =>
  Object.fromEntries(steps.map((name, i) => [name, scriptedStep(needs(i))]));

describe('plans of the greatest size', () => {
  let harness: Harness;
  let parts: EngineParts;
  beforeAll(async () => {
    harness = await Harness.start();
    parts = harness.parts();
  });
  afterAll(() => harness.close());

  const begin = async (plan: Plan): Promise<{ id: OrderId; first: Outcome }> => {
    const [id] = (await harness.accept([{ planId: await harness.plan(plan), input: 1 }])) as [OrderId];
    return { id, first: await launch(harness, parts) };
  };
  /** Completes everything that an outcome sent out. */
  const complete = ({ commands }: Outcome): Promise<Outcome> =>
    apply(
      parts,
      commands.map(({ job, attempt }) => completed({ ...job, attempt }, job.step)),
    );
  const stateOf = async (id: OrderId): Promise<unknown> =>
    (await harness.store.prisma.order.findUniqueOrThrow({ where: { id } })).state;

  test('a thousand steps in twenty chains', async () => {
    const steps = names('s', MAX_STEPS);
    const { id, first } = await begin({
      steps: stepsOf(steps, (i) => (i < 20 ? [] : [`s${i - 20}`])),
      outputs: [`s${MAX_STEPS - 1}`],
    });
    let outcome = first;
    while (outcome.commands.length > 0) outcome = await complete(outcome);
    expect(await stateOf(id)).toBe('completed');
    await expectConsistent(harness, id);
  });

  test('five hundred branches that end in handfuls, and their join', async () => {
    const branches = names('b', 500);
    const { id, first } = await begin({
      steps: { ...stepsOf(branches, () => []), join: scriptedStep(branches) },
      outputs: ['join'],
    });
    let last: Outcome = first;
    for (let i = 0; i < branches.length; i += 5) {
      last = await complete({ commands: first.commands.slice(i, i + 5), changedOrders: [] });
    }
    expect(last.commands[0]?.job.input).toEqual(Object.fromEntries(branches.map((name) => [name, name])));
    await complete(last);
    expect(await stateOf(id)).toBe('completed');
    await expectConsistent(harness, id);
  });

  test('three hundred steps that each need the same three hundred: each result is read once', async () => {
    const above = names('a', 300);
    const below = names('b', 300);
    const { id, first } = await begin({
      steps: { ...stepsOf(above, () => []), ...stepsOf(below, () => above) },
      outputs: below,
    });
    const half = first.commands.length >> 1;
    await complete({ commands: first.commands.slice(0, half), changedOrders: [] });
    const before = Date.now();
    const second = await complete({ commands: first.commands.slice(half), changedOrders: [] });
    expect(second.commands).toHaveLength(300);
    expect(Date.now() - before).toBeLessThan(5000);
    await complete(second);
    expect(await stateOf(id)).toBe('completed');
  });
});
