import type { Gateway } from './gateway.ts';
import { makeTasks } from './profiles.ts';

/** What one child adds to what the root gave it; the harness expects 7 from the root and the child's own number. */
const childProfile = (child: number) => ({
  name: `bench-plus-${child}`,
  function: 'math.add',
  settings: { operand: child },
});

const rootProfile = { name: 'bench-add-2', function: 'math.add', settings: { operand: 2 } } as const;

/** The join: hands on what all children gave, an object keyed by step. */
const joinProfile = { name: 'bench-all', function: 'json.transform', settings: { template: { $path: '' } } } as const;

/** An order of one root, many children that run side by side, and one join behind all of them. */
export interface FanOutOrder {
  readonly input: number;
  readonly steps: Readonly<Record<string, { readonly uses: string; readonly needs?: readonly string[] }>>;
  readonly output: string;
}

/** Makes the profiles that the order needs and returns the order: 5 → 7 → 7 + 0, 7 + 1, … → all of them. */
export async function makeFanOut(gateway: Gateway, children: number): Promise<FanOutOrder> {
  const numbers = Array.from({ length: children }, (_, child) => child);
  const [root = '', join = '', ...tasks] = await makeTasks(gateway, [
    rootProfile,
    joinProfile,
    ...numbers.map(childProfile),
  ]);
  const steps = tasks.map((uses, child) => [`child-${child}`, { uses, needs: ['root'] }] as const);
  return {
    input: 5,
    steps: {
      root: { uses: root },
      ...Object.fromEntries(steps),
      join: { uses: join, needs: steps.map(([name]) => name) },
    },
    output: 'join',
  };
}

/** The sum of what the join handed on; the generic worker has no function that adds a list up. */
export function sumOf(joined: unknown): number {
  if (typeof joined !== 'object' || joined === null) throw new Error('the join gave no object');
  return Object.values(joined).reduce((total: number, part) => total + Number(part), 0);
}
