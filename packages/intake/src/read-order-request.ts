import { isId, parseDuration, type Fault, type JsonValue } from '@connecta/contracts';
import type { OrderRequest } from './requests.ts';

const MAX_TASKS = 1000;
/** A workflow's name, or name@version. */
export const WORKFLOW_REF = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*(?:@[1-9][0-9]{0,8})?$/;
export const TASK_NAME = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*\/[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;

type Check = (value: JsonValue) => string | null;

/** By hand instead of by a schema: one call costs a fraction of a microsecond, and a batch makes a thousand. */
const MEMBERS: Readonly<Record<string, Check>> = {
  client: (value) => (typeof value === 'string' && value.length <= 100 ? null : 'must be an id or a name'),
  workflow: (value) => (isText(value, 111, WORKFLOW_REF) ? null : "must be a workflow's name, or name@version"),
  tasks: checkTasks,
  steps: (value) => (isObject(value) && Object.keys(value).length > 0 ? null : 'must be an object of steps'),
  output: (value) => (isText(value, 100) ? null : "must be a step's name"),
  input: () => null,
  blobId: (value) => (isId(value) ? null : "must be a blob's id"),
  params: (value) => (isObject(value) ? null : 'must be an object'),
  strategy: (value) => (value === 'draft' || value === 'final' ? null : 'must be one of draft, final'),
  contextId: (value) => (isId(value) ? null : "must be a blob's id"),
  cache: (value) => (cacheTtlOf(value) !== null ? null : 'must be false, or {"ttl": a duration of a year at most}'),
  webhook: (value) => (isWebhookUrl(value) ? null : 'must be an http or https URL without credentials'),
};

/** Checks the shape of a request; all faults at once, each with its JSON pointer. */
export function readOrderRequest(
  value: JsonValue,
): { ok: true; request: OrderRequest } | { ok: false; faults: Fault[] } {
  if (!isObject(value)) return { ok: false, faults: [{ path: '', message: 'must be an object' }] };
  const faults: Fault[] = [];
  for (const name in value) {
    const check = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
    const message = check ? check(value[name] as JsonValue) : 'is not known';
    if (message !== null) faults.push({ path: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message });
  }
  if (countOf(value, 'workflow', 'tasks', 'steps') > 1) {
    faults.push({ path: '', message: 'only one of workflow, tasks and steps can say what to run' });
  }
  if (countOf(value, 'input', 'blobId') > 1) faults.push({ path: '/blobId', message: 'stands beside an input' });
  if ('output' in value && !('steps' in value)) faults.push({ path: '/output', message: 'only goes with steps' });
  return faults.length > 0 ? { ok: false, faults } : { ok: true, request: value as unknown as OrderRequest };
}

/** How long results may be taken from the cache, in milliseconds; 0: never; null: that is no such setting. */
export function cacheTtlOf(cache: JsonValue): number | null {
  if (cache === false) return 0;
  if (!isObject(cache) || Object.keys(cache).length !== 1 || typeof cache['ttl'] !== 'string') return null;
  const ttlMs = parseDuration(cache['ttl']);
  return ttlMs !== null && ttlMs > 0 ? ttlMs : null;
}

function checkTasks(value: JsonValue): string | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TASKS) {
    return `must be a list of 1 to ${MAX_TASKS} tasks`;
  }
  for (const task of value) if (!isText(task, 201, TASK_NAME)) return 'must hold tasks, each worker-type/profile-name';
  return null;
}

function isText(value: JsonValue, maxLength: number, pattern?: RegExp): value is string {
  return typeof value === 'string' && value.length <= maxLength && (pattern?.test(value) ?? true);
}

function isWebhookUrl(value: JsonValue): boolean {
  if (typeof value !== 'string' || value.length > 2000 || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

function isObject(value: JsonValue): value is { [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countOf(value: object, ...names: string[]): number {
  let count = 0;
  for (const name of names) if (name in value) count++;
  return count;
}
