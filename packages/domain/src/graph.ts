/** A graph as the needs of each node; needs that name no node are ignored (they are faults of their own). */
export type Needs = ReadonlyMap<string, readonly string[]>;

/**
 * One cycle, as a path that ends where it begins, or null. Iterative depth-first search: a thousand steps in a row must
 * not overflow the stack.
 */
export function findCycle(needs: Needs): string[] | null {
  const done = new Set<string>();
  for (const start of needs.keys()) {
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: { node: string; rest: string[] }[] = [];
    const enter = (node: string): void => {
      path.push(node);
      onPath.add(node);
      stack.push({ node, rest: [...(needs.get(node) as readonly string[])] });
    };
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.rest.shift();
      if (next === undefined) {
        done.add(top.node);
        onPath.delete(top.node);
        path.pop();
        stack.pop();
      } else if (onPath.has(next)) {
        return [...path.slice(path.indexOf(next)), next];
      } else if (needs.has(next) && !done.has(next)) {
        enter(next);
      }
    }
  }
  return null;
}

/** The nodes in an order in which each stands behind what it needs; nodes that could stand first keep their order. */
export function sortTopologically(needs: Needs): string[] {
  const missing = new Map([...needs].map(([node, list]) => [node, list.length]));
  const dependents = new Map<string, string[]>([...needs.keys()].map((node) => [node, []]));
  for (const [node, list] of needs) for (const need of list) dependents.get(need)?.push(node);
  const sorted = [...needs.keys()].filter((node) => missing.get(node) === 0);
  for (let i = 0; i < sorted.length; i++) {
    for (const node of dependents.get(sorted[i] as string) as string[]) {
      const left = (missing.get(node) as number) - 1;
      missing.set(node, left);
      if (left === 0) sorted.push(node);
    }
  }
  return sorted;
}
