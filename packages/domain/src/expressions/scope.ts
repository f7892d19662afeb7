import type { JsonValue, StepState, Strategy } from '@connecta/contracts';
import { celMap, type CelInput } from '@bufbuild/cel';
import type { Expression } from './compile.ts';
import type { Reference } from './syntax.ts';
import { toCel, type Conversions } from './values.ts';

/** A step as expressions see it: what it does not have (a result, an error) is absent, so that `has(…)` tells. */
export interface StepView {
  state: StepState;
  result?: JsonValue | undefined;
  error?: JsonValue | undefined;
  /** The edge that a step took which waited for a person. */
  outcome?: string | undefined;
}

/** The item of a `forEach` as expressions see it. */
export interface EachView {
  item: JsonValue;
  index: number;
  key: JsonValue;
  items?: JsonValue[] | undefined;
  related?: { [relation: string]: JsonValue } | undefined;
}

/** What expressions may look at. A step that is left out cannot be looked at. */
export interface ScopeValues {
  input?: JsonValue | undefined;
  params?: { [name: string]: JsonValue } | undefined;
  /** The client's name. */
  client?: string | undefined;
  steps?: { [step: string]: StepView } | undefined;
  each?: EachView | undefined;
}

/** The members of a step, and of the item under `forEach`. */
export const STEP_MEMBERS = ['result', 'state', 'error', 'outcome'] as const;
export const EACH_MEMBERS = ['item', 'index', 'key', 'items', 'related'] as const;

/** The strategy that an order's params name. */
export function strategyOf(params: { [name: string]: JsonValue } | undefined): Strategy {
  return params?.['strategy'] === 'draft' ? 'draft' : 'final';
}

/**
 * What expressions look at, turned into their terms when one looks and then kept. Make one for an order and take
 * `withEach` of it for its items: what all items share is converted once. The values must not change meanwhile.
 */
export class Scope {
  readonly #values: ScopeValues;
  readonly #known: Conversions;

  constructor(values: ScopeValues, known: Conversions = new WeakMap()) {
    this.#values = values;
    this.#known = known;
  }

  /** The same with an item. */
  withEach(each: EachView): Scope {
    return new Scope({ ...this.#values, each }, this.#known);
  }

  /** Only what the expression refers to, and how much that is. */
  bindingsFor({ references }: Expression): { bindings: { [name: string]: CelInput }; weight: number } {
    const bindings = Object.create(null) as { [name: string]: CelInput };
    const groups = { steps: new Map<string, Map<string, CelInput>>(), each: new Map<string, CelInput>() };
    let weight = 0;
    const bring = (value: JsonValue): CelInput => {
      const converted = toCel(value, this.#known);
      weight += converted.weight;
      return converted.value;
    };
    for (const reference of references) {
      const { root } = reference;
      if (root === 'steps') this.#bindStep(reference, groups.steps, bring);
      else if (root === 'each') this.#bindEach(reference, groups.each, bring);
      else if (!(root in bindings)) {
        const value = this.#root(root);
        if (value !== undefined) bindings[root] = bring(value);
      }
    }
    if (groups.steps.size > 0) bindings['steps'] = celMap(new Map([...groups.steps].map(([k, v]) => [k, celMap(v)])));
    if (groups.each.size > 0) bindings['each'] = celMap(groups.each);
    return { bindings, weight };
  }

  #root(name: string): JsonValue | undefined {
    const { input, params, client } = this.#values;
    if (name === 'input') return input;
    if (name === 'params') return params ?? {};
    if (name === 'strategy') return strategyOf(params);
    return name === 'client' ? client : undefined;
  }

  #bindStep(
    { path: [name, member] }: Reference,
    into: Map<string, Map<string, CelInput>>,
    bring: (value: JsonValue) => CelInput,
  ): void {
    const steps = this.#values.steps ?? {};
    if (name === undefined || !Object.hasOwn(steps, name)) return;
    const step = steps[name] as StepView;
    const bound = into.get(name) ?? new Map<string, CelInput>();
    into.set(name, bound);
    for (const each of STEP_MEMBERS) {
      if ((member !== undefined && member !== each) || bound.has(each)) continue;
      const value = step[each];
      if (value !== undefined) bound.set(each, bring(value));
    }
  }

  #bindEach({ path: [member] }: Reference, into: Map<string, CelInput>, bring: (value: JsonValue) => CelInput): void {
    const { each } = this.#values;
    if (!each) return;
    for (const name of EACH_MEMBERS) {
      if ((member !== undefined && member !== name) || into.has(name)) continue;
      const value = each[name];
      if (value !== undefined) into.set(name, bring(value));
    }
  }
}
