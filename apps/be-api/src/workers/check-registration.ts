import { Problem, type BeApiOperations, type Fault } from '@connecta/contracts';
import type { AllowedHosts, OperationInput } from '@connecta/runtime';

/** A registration as the document types it. */
export type RegistrationBody = OperationInput<BeApiOperations['registerWorker']>['body'];
type ProfileBody = NonNullable<RegistrationBody['profiles']>[number];

/** Checks what a schema cannot say. @throws Problem bad_request with every fault. */
export function checkRegistration(body: RegistrationBody, hosts: AllowedHosts): void {
  const faults = [
    ...(body.role === 'api' ? apiFaults(body, hosts) : runnerFaults(body)),
    ...duplicates(body.functions, 'functions', (fn) => fn.name),
    ...profileFaults(body.profiles ?? []),
    ...aliasFaults(body),
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

function apiFaults(body: RegistrationBody, hosts: AllowedHosts): Fault[] {
  const faults: Fault[] = [];
  if (body.slots !== 0)
    faults.push({ path: '/slots', message: 'must be 0: a process with the role api takes no jobs' });
  const message = body.apiUrl === undefined ? 'is required from the role api' : hosts.faultOf(body.apiUrl);
  if (message !== undefined) faults.push({ path: '/apiUrl', message });
  return faults;
}

function runnerFaults(body: RegistrationBody): Fault[] {
  const faults: Fault[] = [];
  if (body.slots === 0) faults.push({ path: '/slots', message: 'must be 1 or more: a runner takes jobs' });
  for (const name of ['profiles', 'aliases'] as const) {
    if (body[name]) faults.push({ path: `/${name}`, message: 'is told by the role api alone' });
  }
  return faults;
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
