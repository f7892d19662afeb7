import {
  NAME_PATTERN,
  parseDuration,
  parseTask,
  type Duration,
  type Fault,
  type WorkflowDefinition,
  type WorkflowStep,
  type WorkflowTaskStep,
  type WorkflowWaitStep,
} from '@connecta/contracts';
import { pointer } from './pointer.ts';

const TASK_MEMBERS = ['timeouts', 'retry', 'offline', 'cache'] as const;
const WAIT_MEMBERS = {
  callback: ['for', 'timeout'],
  approval: ['for', 'timeout', 'role', 'instructions'],
  time: ['for', 'until', 'after'],
} as const satisfies Record<WorkflowWaitStep['wait']['for'], readonly string[]>;

/** What of a step makes no sense by itself. */
export function faultsOfStep(name: string, { steps, params }: WorkflowDefinition): Fault[] {
  const step = steps[name] as WorkflowStep;
  const at = (...parts: (string | number)[]): string => pointer('steps', name, ...parts);
  const faults: Fault[] = [...faultsOfDurations(name, step), ...faultsOfMembers(name, step)];
  if (!NAME_PATTERN.test(name)) {
    faults.push({ path: at(), message: `'${name}' is not a name: lower-case letters, digits, '-' and '_'` });
  }
  if ('uses' in step && !parseTask(step.uses)) {
    faults.push({ path: at('uses'), message: `'${step.uses}' is not a task: worker-type/profile-name` });
  }
  if ('wait' in step) faults.push(...faultsOfWait(name, step));
  if (
    'workflow' in step &&
    typeof step.workflow === 'object' &&
    params &&
    !Object.hasOwn(params, step.workflow.param)
  ) {
    faults.push({
      path: at('workflow', 'param'),
      message: `there is no param '${step.workflow.param}'`,
      code: 'unknown_param',
    });
  }
  return faults;
}

function faultsOfMembers(name: string, step: WorkflowStep): Fault[] {
  const ofTasks: readonly string[] = 'uses' in step ? [] : TASK_MEMBERS;
  const ofWaits = 'wait' in step ? ['params', 'forEach'] : [];
  const kind = 'wait' in step ? 'a step that waits' : 'a step that is a workflow';
  return [...ofTasks, ...ofWaits]
    .filter((member) => member in step)
    .map((member) => ({ path: pointer('steps', name, member), message: `${kind} has no ${member}` }));
}

function faultsOfWait(name: string, { wait }: WorkflowWaitStep): Fault[] {
  const faults: Fault[] = [];
  const members: readonly string[] = WAIT_MEMBERS[wait.for];
  for (const member of Object.keys(wait).filter((each) => !members.includes(each))) {
    faults.push({ path: pointer('steps', name, 'wait', member), message: `has no meaning for a ${wait.for}` });
  }
  if (wait.for === 'time' && (wait.until === undefined) === (wait.after === undefined)) {
    faults.push({ path: pointer('steps', name, 'wait'), message: 'a time has either until or after' });
  }
  return faults;
}

function faultsOfDurations(name: string, step: WorkflowStep): Fault[] {
  return durationsOf(step)
    .filter(([path, duration]) => {
      if (duration === undefined) return false;
      const ms = parseDuration(duration);
      // Only a new attempt may follow at once.
      return ms === null || (ms === 0 && path[0] !== 'retry');
    })
    .map(([path, duration]) => ({
      path: pointer('steps', name, ...path),
      message: `'${duration}' is not a duration between 1ms and 366d`,
    }));
}

function durationsOf(step: WorkflowStep): [path: string[], duration: Duration | undefined][] {
  if ('wait' in step) {
    const { timeout, after } = step.wait as { timeout?: Duration; after?: Duration };
    return [
      [['wait', 'timeout'], timeout],
      [['wait', 'after'], after],
    ];
  }
  const { timeouts = {}, retry, offline, cache } = step as WorkflowTaskStep;
  return [
    ...Object.entries(timeouts).map(([name, duration]): [string[], Duration] => [['timeouts', name], duration]),
    [['retry', 'delay'], retry?.delay],
    [['retry', 'maxDelay'], retry?.maxDelay],
    [['offline', 'limit'], offline?.limit],
    [['cache', 'ttl'], cache?.ttl],
  ];
}
