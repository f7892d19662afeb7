import {
  MAX_STEPS,
  type Fault,
  type JsonValue,
  type WorkflowDefinition,
  type WorkflowParam,
} from '@connecta/contracts';
import { pointer } from './pointer.ts';

/** What of a workflow as a whole makes no sense: its size, its output, its params. */
export function faultsOfWhole({ steps, output, params = {} }: WorkflowDefinition): Fault[] {
  const faults: Fault[] = Object.entries(params).flatMap(([name, param]) => faultsOfParam(name, param));
  const count = Object.keys(steps).length;
  if (count === 0) faults.push({ path: '/steps', message: 'a workflow needs at least one step' });
  if (count > MAX_STEPS) faults.push({ path: '/steps', message: `more than ${MAX_STEPS} steps` });
  if (output !== undefined && !Object.hasOwn(steps, output)) {
    faults.push({ path: '/output', message: `there is no step '${output}'`, code: 'unknown_step' });
  }
  return faults;
}

/** True of a value that a param of this type can take. */
export function fitsType(value: JsonValue, type: WorkflowParam['type']): boolean {
  if (type === undefined) return true;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function faultsOfParam(name: string, param: WorkflowParam): Fault[] {
  const faults: Fault[] = [];
  if (name === 'strategy') faults.push({ path: pointer('params', name), message: 'is reserved: every order has it' });
  if (param.default === undefined) return faults;
  if (param.required) {
    faults.push({ path: pointer('params', name, 'default'), message: 'a required param needs no default' });
  }
  if (!fitsType(param.default, param.type)) {
    faults.push({ path: pointer('params', name, 'default'), message: `is no ${param.type}` });
  }
  return faults;
}
