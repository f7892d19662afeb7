/** One step as the pictures need it. */
export interface GraphStep {
  readonly name: string;
  /** What it does: a task, another workflow, a wait. */
  readonly label: string;
  /** The steps that it follows, each perhaps by an edge (`review:approve`). */
  readonly needs: readonly { readonly step: string; readonly edge: string | undefined }[];
  /** Conditions, loops: shown beside the label. */
  readonly remarks: readonly string[];
}

/** The steps of a workflow's definition, in a form that draws. Unknown members are left out. */
export function graphOf(definition: unknown): GraphStep[] {
  const steps = fieldsOf(fieldsOf(definition)['steps']);
  return Object.entries(steps).map(([name, value]) => {
    const step = fieldsOf(value);
    const needs = Array.isArray(step['needs']) ? step['needs'].map(String) : [];
    return {
      name,
      label: labelOf(step),
      needs: needs.map((need) => {
        const [from = need, edge] = need.split(':');
        return { step: from, edge };
      }),
      remarks: remarksOf(step),
    };
  });
}

function labelOf(step: Record<string, unknown>): string {
  if (typeof step['uses'] === 'string') return step['uses'];
  const { workflow, wait } = step;
  if (typeof workflow === 'string') return `workflow ${workflow}`;
  if (workflow !== undefined) return `workflow by param ${String(fieldsOf(workflow)['param'])}`;
  if (wait !== undefined) return `wait for ${String(fieldsOf(wait)['for'])}`;
  return '?';
}

function remarksOf(step: Record<string, unknown>): string[] {
  const { if: condition, forEach, onError } = step;
  const items = typeof forEach === 'string' ? forEach : fieldsOf(forEach)['items'];
  const fallback = fieldsOf(onError)['fallback'];
  return [
    ...(typeof condition === 'string' ? [`if ${condition}`] : []),
    ...(typeof items === 'string' ? [`for each of ${items}`] : []),
    ...(typeof fallback === 'string' ? [`on error ${fallback}`] : onError === 'continue' ? ['on error continue'] : []),
  ];
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The graph as a tree from its roots; a step with several needs stands below the last of them and names the others. */
export function treeText(steps: readonly GraphStep[]): string {
  const order = new Map(steps.map(({ name }, index) => [name, index]));
  const known = (step: GraphStep): GraphStep['needs'] => step.needs.filter((need) => order.has(need.step));
  // A step stands below its last need, so that whoever reads downwards has met all the others.
  const parentOf = (step: GraphStep): string | undefined =>
    known(step)
      .map((need) => need.step)
      .sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
      .at(-1);
  const children = Map.groupBy(steps, (step) => parentOf(step));
  const drawn = new Set<string>();
  const lines: string[] = [];
  const draw = (step: GraphStep, prefix: string, branch: string): void => {
    if (drawn.has(step.name)) return;
    drawn.add(step.name);
    lines.push(`${prefix}${branch}${stepText(step, parentOf(step))}`);
    const below = children.get(step.name) ?? [];
    const indent = branch === '' ? prefix : `${prefix}${branch === '└─ ' ? '   ' : '│  '}`;
    for (const [index, child] of below.entries()) draw(child, indent, index === below.length - 1 ? '└─ ' : '├─ ');
  };
  for (const root of children.get(undefined) ?? []) draw(root, '', '');
  // Steps that need each other have no root: they are shown all the same.
  for (const step of steps) if (!drawn.has(step.name)) draw(step, '', '');
  return lines.join('\n');
}

function stepText({ name, label, needs, remarks }: GraphStep, parent: string | undefined): string {
  const edge = needs.find((need) => need.step === parent)?.edge;
  const others = needs
    .filter((need) => need.step !== parent)
    .map((need) => (need.edge ? `${need.step}:${need.edge}` : need.step));
  const notes = [...(others.length > 0 ? [`also needs ${others.join(', ')}`] : []), ...remarks];
  return `${edge === undefined ? '' : `[${edge}] `}${name}  ${label}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}`;
}

/** The graph for https://mermaid.js.org. */
export function mermaidText(steps: readonly GraphStep[]): string {
  // Names may hold dashes, which mermaid takes for arrows.
  const ids = new Map(steps.map(({ name }, index) => [name, `s${index}`]));
  const text = (value: string): string => value.replaceAll('"', '#quot;');
  return [
    'flowchart TD',
    ...steps.map(
      ({ name, label, remarks }) => `  ${ids.get(name) ?? ''}["${[name, label, ...remarks].map(text).join('<br/>')}"]`,
    ),
    ...steps.flatMap(({ name, needs }) =>
      needs.map(
        ({ step, edge }) =>
          `  ${ids.get(step) ?? ''} -->${edge === undefined ? '' : `|${edge}|`} ${ids.get(name) ?? ''}`,
      ),
    ),
  ].join('\n');
}

/** The graph for Graphviz. */
export function dotText(steps: readonly GraphStep[], title: string): string {
  const quote = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const label = ({ name, label: what, remarks }: GraphStep): string =>
    quote([name, what, ...remarks].join('\n')).replaceAll('\n', '\\n');
  return [
    `digraph ${quote(title)} {`,
    '  node [shape=box];',
    ...steps.map((step) => `  ${quote(step.name)} [label=${label(step)}];`),
    ...steps.flatMap(({ name, needs }) =>
      needs.map(
        ({ step, edge }) => `  ${quote(step)} -> ${quote(name)}${edge === undefined ? '' : ` [label=${quote(edge)}]`};`,
      ),
    ),
    '}',
  ].join('\n');
}
