import { UsageError } from '../failures.ts';

/** The worker type and the profile of a task. @throws UsageError */
export function parseTask(task: string): { type: string; name: string } {
  const [type, name, ...rest] = task.split('/');
  if (type && name && rest.length === 0) return { type, name };
  throw new UsageError(`'${task}' is no task: it is written worker-type/profile, as generic/add-2.`);
}
