import {
  Problem,
  STRATEGIES,
  type Fault,
  type JsonValue,
  type Template,
  type WorkflowDefinition,
  type WorkflowOrderStep,
} from '@connecta/contracts';
import { SLOT_PARAM, fitsType } from '@connecta/domain';

/** Params that nobody declares: every order may have them. */
const RESERVED = new Set(['strategy', SLOT_PARAM]);

type Declared = NonNullable<WorkflowDefinition['params']>;
type Params = { [name: string]: JsonValue };

/**
 * Given params against the declared ones: every fault, and the params with the defaults filled in. A value of undefined
 * stands for one that is only known later.
 */
export function checkParams(
  declared: Declared,
  given: { [name: string]: JsonValue | undefined },
): { params: { [name: string]: JsonValue | undefined }; faults: Fault[] } {
  const params = { ...given };
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(given)) {
    const param = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (!param) {
      if (!RESERVED.has(name)) faults.push(fault(name, `there is no param '${name}'`, 'unknown_param'));
    } else if (value !== undefined && !fitsType(value, param.type)) {
      faults.push(fault(name, `must be of the type ${param.type}`));
    }
  }
  for (const [name, param] of Object.entries(declared)) {
    if (Object.hasOwn(given, name)) continue;
    if (param.required) faults.push(fault(name, 'is required'));
    else if (param.default !== undefined) params[name] = param.default;
  }
  return { params, faults };
}

/** What a step gives its workflow against what that declares; texts are expressions, known only later. */
export function checkGiven(
  declared: Declared,
  given: WorkflowOrderStep['params'] = {},
): ReturnType<typeof checkParams> {
  const known = Object.entries(given).map(([name, template]) => [name, isKnown(template) ? template : undefined]);
  return checkParams(declared, Object.fromEntries(known) as { [name: string]: JsonValue | undefined });
}

function isKnown(template: Template): boolean {
  return typeof template === 'number' || typeof template === 'boolean';
}

/** The params that an order keeps: as its workflow declares them, with its strategy. */
export function paramsOfOrder(
  { params: declared }: WorkflowDefinition,
  { params: given, strategy }: { params?: Params | undefined; strategy?: string | undefined },
): Params | undefined | Problem {
  const named = given?.['strategy'];
  if (named !== undefined && !(STRATEGIES as readonly JsonValue[]).includes(named)) {
    return invalid([fault('strategy', `must be one of ${STRATEGIES.join(', ')}`)]);
  }
  if (strategy !== undefined && named !== undefined && named !== strategy) {
    return invalid([{ path: '/strategy', message: `is '${strategy}', and params.strategy is '${named as string}'` }]);
  }
  if (!declared && strategy === undefined) return given;
  const all = { ...given, ...(strategy === undefined ? {} : { strategy }) };
  if (!declared) return all;
  const { params, faults } = checkParams(declared, all);
  return faults.length > 0 ? invalid(faults) : (params as Params);
}

function fault(name: string, message: string, code?: string): Fault {
  return { path: `/params/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message, code };
}

function invalid(faults: Fault[]): Problem {
  const told = faults.map(({ path, message }) => `${path.slice(1)} ${message}`).join('; ');
  return new Problem('invalid_input', `The order's params do not fit the workflow: ${told}`, {
    faults: faults.slice(0, 50),
  });
}
