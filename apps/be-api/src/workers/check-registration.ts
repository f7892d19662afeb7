import { Problem, type BeApiOperations, type Fault } from '@connecta/contracts';
import { taskFaults } from '@connecta/intake';
import type { AllowedHosts, OperationInput } from '@connecta/runtime';

/** A registration as the document types it. */
export type RegistrationBody = OperationInput<BeApiOperations['registerWorker']>['body'];
type ProfileBody = NonNullable<RegistrationBody['profiles']>[number];

/** Checks what a schema cannot say. @throws Problem bad_request with every fault. */
export function checkRegistration(body: RegistrationBody, hosts: AllowedHosts): void {
  const faults = [
    ...(body.role === 'runner' ? [] : apiUrlFaults(body, hosts)),
    ...slotFaults(body),
    ...(body.role === 'runner' ? runnerFaults(body) : []),
    ...duplicates(body.functions, 'functions', (fn) => fn.name),
    ...profileFaults(body.profiles ?? []),
    ...aliasFaults(body),
    ...taskFaults(body.tasks ?? []),
  ];
  if (faults.length > 0) throw new Problem('bad_request', 'The registration is not valid', { faults });
}

/** Names of live profiles must be unique, and each profile is told once. */
export function profileFaults(profiles: readonly ProfileBody[]): Fault[] {
  return [
    ...duplicates(profiles, 'profiles', (profile) => (profile.deleted ? undefined : profile.name)),
    ...duplicates(profiles, 'profiles', (profile) => profile.id, 'id'),
  ];
}

function apiUrlFaults(body: RegistrationBody, hosts: AllowedHosts): Fault[] {
  const message = body.apiUrl === undefined ? `is required from the role ${body.role}` : hosts.faultOf(body.apiUrl);
  return message === undefined ? [] : [{ path: '/apiUrl', message }];
}

function slotFaults({ role, slots, transport }: RegistrationBody): Fault[] {
  const faults: Fault[] = [];
  if (role === 'api' && slots !== 0)
    faults.push({ path: '/slots', message: 'must be 0: a process with the role api takes no jobs' });
  if (role !== 'api' && slots === 0) faults.push({ path: '/slots', message: 'must be 1 or more: a runner takes jobs' });
  if (role === 'both' && transport !== 'http')
    faults.push({ path: '/transport', message: 'must be http with the role both' });
  return faults;
}

function runnerFaults(body: RegistrationBody): Fault[] {
  return (['profiles', 'aliases', 'tasks'] as const).flatMap((name) =>
    body[name] ? [{ path: `/${name}`, message: 'is told by the role api (or both) alone' }] : [],
  );
}

function aliasFaults(body: RegistrationBody): Fault[] {
  const aliases = body.aliases ?? [];
  const foreign = aliases.flatMap(({ to }, i): Fault[] =>
    to.startsWith(`${body.type}/`)
      ? []
      : [{ path: `/aliases/${i}/to`, message: `must be a task of ${body.type}: a type speaks for itself alone` }],
  );
  return [...foreign, ...duplicates(aliases, 'aliases', (alias) => alias.from, 'from')];
}

function duplicates<T>(
  items: readonly T[],
  list: string,
  key: (item: T) => string | undefined,
  field = 'name',
): Fault[] {
  const seen = new Set<string>();
  return items.flatMap((item, i): Fault[] => {
    const value = key(item);
    if (value === undefined) return [];
    if (seen.has(value)) return [{ path: `/${list}/${i}/${field}`, message: `${value} is in the list twice` }];
    seen.add(value);
    return [];
  });
}
