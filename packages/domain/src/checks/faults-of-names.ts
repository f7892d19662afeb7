import type { Cel, Fault } from '@connecta/contracts';
import { compileExpression } from '../expressions/compile.ts';
import { TYPE_NAMES } from '../expressions/environment.ts';
import { EACH_MEMBERS, STEP_MEMBERS } from '../expressions/scope.ts';
import type { Reference } from '../expressions/syntax.ts';

/** The names that an expression may look at, by the place it stands in. */
export interface Names {
  roots: readonly ('input' | 'params' | 'strategy' | 'client' | 'steps')[];
  /** The params that are declared; undefined: nobody declared any, so every name is good. */
  params?: readonly string[] | undefined;
  /** All steps of the workflow. */
  steps: readonly string[];
  /** Of these, those that have ended by then. */
  upstream: ReadonlySet<string>;
  /** Of these, those that take an edge. */
  waits: ReadonlySet<string>;
  /** Under `forEach`: the members of `each`, and the relations. */
  each?: { members: readonly string[]; relations: readonly string[] } | undefined;
}

/** What is wrong with an expression in its place: its syntax, or every name that it cannot see. */
export function faultsOfNames(source: Cel, path: string, names: Names): Fault[] {
  const compiled = compileExpression(source);
  if (!compiled.ok) return [{ path, message: compiled.message, code: 'expression' }];
  const faults = new Map<string, Fault>();
  for (const reference of compiled.expression.references) {
    const fault = faultOfReference(reference, names);
    if (fault) faults.set(fault.message, { path, ...fault });
  }
  return [...faults.values()];
}

type Found = Omit<Fault, 'path'> | null;

function faultOfReference(reference: Reference, names: Names): Found {
  const { root } = reference;
  if (root === 'each') return faultOfEach(reference, names);
  if (TYPE_NAMES.has(root)) return null;
  if (!(names.roots as readonly string[]).includes(root)) {
    const known = [...names.roots, ...(names.each ? ['each'] : [])].join(', ');
    return { message: `there is no '${root}' here: there is ${known}`, code: 'unknown_name' };
  }
  if (root === 'steps') return faultOfStep(reference, names);
  const [param] = reference.path;
  if (root !== 'params' || param === undefined || !names.params) return null;
  if (param === 'strategy' || names.params.includes(param)) return null;
  return { message: `there is no param '${param}'`, code: 'unknown_param' };
}

function faultOfStep({ path: [step, member] }: Reference, { steps, upstream, waits }: Names): Found {
  if (step === undefined) return { message: 'a step is named in the expression itself: steps.name or steps["na-me"]' };
  if (!steps.includes(step)) {
    const meant = steps.find((name) => name.startsWith(`${step}-`));
    const hint = meant === undefined ? '' : `; a name with a dash is written steps["${meant}"]`;
    return { message: `there is no step '${step}'${hint}`, code: 'unknown_step' };
  }
  if (!upstream.has(step))
    return { message: `step '${step}' has not ended by then: it is not needed`, code: 'not_upstream' };
  if (member === undefined) return null;
  if (!(STEP_MEMBERS as readonly string[]).includes(member)) {
    return { message: `a step has no '${member}': it has ${STEP_MEMBERS.join(', ')}`, code: 'unknown_name' };
  }
  if (member !== 'outcome' || waits.has(step)) return null;
  return { message: `step '${step}' has no outcome: it does not wait`, code: 'unknown_name' };
}

function faultOfEach({ path: [member, relation] }: Reference, { each }: Names): Found {
  if (!each) return { message: `there is no 'each' here: only under forEach`, code: 'unknown_name' };
  if (member === undefined) return null;
  if (!each.members.includes(member)) {
    const unknown = !(EACH_MEMBERS as readonly string[]).includes(member);
    return {
      message: `each has no '${member}'${unknown ? '' : ' here'}: it has ${each.members.join(', ')}`,
      code: 'unknown_name',
    };
  }
  if (member !== 'related' || relation === undefined || each.relations.includes(relation)) return null;
  return { message: `there is no relation '${relation}'`, code: 'unknown_name' };
}
