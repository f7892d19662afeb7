import { isBlobRef, type BlobRef, type JsonValue, type Template } from '@connecta/contracts';
import { expressionsIn, referencesIn, type PlannedStep } from '@connecta/domain';

/** What a step's beginning asks for, besides the results of the steps that it needs. */
export interface Needed {
  /** Whether it looks at the order's input. */
  input: boolean;
  /** Steps that expressions look at. */
  steps: readonly string[];
  /** Of these values expressions want the content, should they be JSON in a blob: `input`, or a step's name. */
  content: { input: boolean; steps: readonly string[] };
}

const NOTHING: Needed = { input: false, steps: [], content: { input: false, steps: [] } };
/** By step of a compiled plan, which is kept and never changes. */
const known = new WeakMap<PlannedStep, Needed>();

/** What the expressions of a step look at; a plain step's are none. */
export function neededBy(step: PlannedStep): Needed {
  const before = known.get(step);
  if (before) return before;
  const templates = templatesOf(step);
  const needed = templates.length === 0 ? NOTHING : analyse(templates);
  const withInput = step.with === undefined && step.needs.length === 0 && !step.forEach;
  const all = withInput ? { ...needed, input: true } : needed;
  known.set(step, all);
  return all;
}

/** Something in a step that is evaluated when it begins. `passes`: its values go to a job, which may read blobs itself. */
interface StepTemplate {
  template: Template;
  passes: boolean;
}

function templatesOf(step: PlannedStep): StepTemplate[] {
  const { forEach } = step;
  const looks = [
    step.if,
    ...(forEach ? [forEach.items, forEach.key, ...Object.values(forEach.related ?? {})] : []),
    step.kind === 'wait' ? step.wait.until : undefined,
  ];
  const passes = [step.with, ...(step.kind === 'order' ? Object.values(step.params ?? {}) : [])];
  return [
    ...looks.flatMap((template) => (template === undefined ? [] : { template, passes: false })),
    ...passes.flatMap((template) => (template === undefined ? [] : { template, passes: true })),
  ];
}

/** True for JSON that is too large to travel inline: expressions see what is in it. */
export function isLargeJson(value: JsonValue | undefined): value is BlobRef {
  return typeof value === 'object' && isBlobRef(value) && /^application\/(json|[^;]+\+json)\b/.test(value.mediaType);
}

/** An expression that only hands a value on: a reference to a blob stays one. */
const HANDED_ON = /^\s*(input|steps(\.[A-Za-z_]\w*|\["[^"\\]+"\]|\['[^'\\]+'\])\.result)\s*$/;

function analyse(templates: readonly StepTemplate[]): Needed {
  const input = { seen: false, content: false };
  const steps = new Map<string, boolean>();
  const sources = templates.flatMap(({ template, passes }) =>
    expressionsIn(template).map(({ source }) => ({ source, content: !passes || !HANDED_ON.test(source) })),
  );
  for (const { source, content } of sources) {
    for (const { root, path } of referencesIn(source)) {
      const [step, member] = path;
      if (root === 'input') {
        input.seen = true;
        input.content ||= content;
      } else if (root === 'steps' && step !== undefined) {
        const wanted = content && (member === undefined || member === 'result');
        steps.set(step, wanted || steps.get(step) === true);
      }
    }
  }
  return {
    input: input.seen,
    steps: [...steps.keys()],
    content: { input: input.content, steps: [...steps].filter(([, content]) => content).map(([step]) => step) },
  };
}
