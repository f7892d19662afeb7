import { Problem, type PlanId, type WorkflowDefinition, type WorkflowVersionId } from '@connecta/contracts';
import type { ClientFact } from '@connecta/store';
import { Cache } from './cache.ts';
import type { Facts } from './facts.ts';
import { hashOfPlan, pinTasks, planOf } from './pins.ts';
import type { PlanKey, Planned, PlanningOf, Plans } from './planning.ts';
import type { OrderRequest, Rerun } from './requests.ts';
import { runnableOfSteps, runnableOfTasks, runnableOfVersion, sha256, type Runnable } from './runnable.ts';
import { subPlansOf } from './sub-plans.ts';

/**
 * Finds out what requests run. Compiled workflows and plan ids are kept; whether they are still the right ones (latest
 * version, current profile revisions) is asked anew for each group.
 */
export class Planner implements Plans {
  /** By workflow version, or by what the order brought along. */
  readonly #runnables = new Cache<string, Runnable>(1000);
  readonly #planIds = new Cache<string, PlanId>(10_000);
  /** Where a name led to last time: what to ask for along with it. Never used for more. */
  readonly #lastVersions = new Cache<string, WorkflowVersionId>(1000);
  readonly #lastContracts = new Cache<string, string>(1000);

  /** How a request says what to run; a problem when it says nothing; undefined when the client is not known yet. */
  keyOf(
    request: OrderRequest,
    client: ClientFact | undefined,
    clientRef: string,
    facts: Facts,
  ): PlanKey | Problem | undefined {
    if (request.tasks) {
      const { tasks } = request;
      return { key: shortened(`tasks ${tasks.join(' ')}`), make: () => runnableOfTasks(tasks) };
    }
    if (request.steps) {
      const { steps, output } = request;
      return { key: sha256(JSON.stringify([steps, output])), make: () => runnableOfSteps({ steps, output }) };
    }
    if (request.workflow !== undefined) return workflowKey(request.workflow);
    if (client) {
      if (client.workflow === null) {
        return new Problem(
          'no_workflow',
          `The order names no workflow, tasks or steps, and client '${client.name}' has no contract`,
        );
      }
      this.#lastContracts.set(clientRef, client.workflow);
      return workflowKey(client.workflow);
    }
    const last = this.#lastContracts.get(clientRef);
    if (last !== undefined) this.planOf(workflowKey(last), facts, { params: request.params ?? {}, trail: [] });
    return undefined;
  }

  /** The plan, a problem, or undefined when facts are missing. */
  planOf({ key, make }: PlanKey, facts: Facts, planning: PlanningOf): Planned | Problem | undefined {
    const runnable = typeof make === 'function' ? this.#compiled(key, make) : this.#version(make.workflow, facts);
    if (runnable === undefined || runnable instanceof Problem) return runnable;
    const isFirst = typeof make === 'object' && planning.trail.length === 0;
    const trail = isFirst ? [nameIn(make.workflow)] : planning.trail;
    // Both ask for their facts before either answers.
    const pins = pinTasks(runnable, facts);
    const subs = subPlansOf({ runnable, planning: { ...planning, trail } }, this, facts);
    if (pins instanceof Problem) return pins;
    if (subs instanceof Problem) return pins === undefined ? undefined : subs;
    if (pins === undefined || subs === undefined) return undefined;
    const hash = hashOfPlan(runnable, pins, subs);
    const id = this.#planIds.get(hash) ?? facts.plan(hash, () => planOf({ runnable, pins, subs, hash }));
    if (id === undefined) return undefined;
    this.#planIds.set(hash, id);
    const version = typeof make === 'object' ? facts.workflow(make.workflow) : null;
    return {
      id,
      definition: runnable.compiled.definition,
      shown: version ? `${version.name}@${version.version}` : undefined,
    };
  }

  /** False of what is known to run no other workflow: then the order's params do not change its plan. */
  dependsOnParams({ key, make }: PlanKey): boolean {
    const last = typeof make === 'object' ? this.#lastVersions.get(make.workflow) : key;
    const runnable = last === undefined ? undefined : this.#runnables.get(last);
    return !runnable || runnable.compiled.steps.some(({ step }) => 'workflow' in step);
  }

  #compiled(key: string, make: () => Runnable | Problem): Runnable | Problem {
    const known = this.#runnables.get(key);
    if (known) return known;
    const made = make();
    if (!(made instanceof Problem)) this.#runnables.set(key, made);
    return made;
  }

  #version(ref: string, facts: Facts): Runnable | Problem | undefined {
    const version = facts.workflow(ref);
    if (version === null) {
      const faults = [{ path: '/workflow', message: `there is no workflow '${ref}'`, code: 'unknown_workflow' }];
      return new Problem('unknown_workflow', `There is no workflow '${ref}'`, { faults });
    }
    if (version === undefined) {
      const last = this.#lastVersions.get(ref);
      const runnable = last === undefined ? undefined : this.#runnables.get(last);
      if (runnable) pinTasks(runnable, facts);
      return undefined;
    }
    this.#lastVersions.set(ref, version.id);
    const known = this.#runnables.get(version.id);
    if (known) return known;
    const definition = facts.definition(version.id);
    if (!definition) return undefined;
    return this.#compiled(version.id, () => runnableOfVersion(version.id, definition));
  }
}

/** The version that an order ran, whatever its name leads to now. */
export function keyOfRerun({ version }: Rerun): PlanKey {
  const { id, named, definition } = version;
  const { tasks, steps, output } = definition;
  const make = (): Runnable | Problem => {
    if (named) return runnableOfVersion(id, definition as unknown as WorkflowDefinition);
    if (Array.isArray(tasks)) return runnableOfTasks(tasks as string[]);
    return runnableOfSteps({ steps: steps ?? {}, output: output as string | undefined });
  };
  return { key: `version ${id}`, make };
}

function nameIn(ref: string): string {
  return ref.split('@')[0] as string;
}

function workflowKey(workflow: string): PlanKey {
  return { key: `workflow ${workflow}`, make: { workflow } };
}

function shortened(key: string): string {
  return key.length > 1000 ? sha256(key) : key;
}
