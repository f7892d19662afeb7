import { newId, type WorkerInstanceId } from '@connecta/contracts';
import type pg from 'pg';
import type { Store } from '../store.ts';
import type { FunctionFact } from '../intake/read-intake-facts.ts';
import { writeDeclaredTasks } from '../tasks/declared-tasks.ts';
import type { Registered, Registration } from './registration.ts';
import { inTransaction, lockWorkerType } from './transaction.ts';
import { writeProfiles } from './upsert-profiles.ts';
import { writeAliases } from './write-aliases.ts';

/**
 * Registers one process: its type as the newest `api` registration tells it (a runner tells it only while none has),
 * its instance, and the type's profiles, declared tasks and aliases. An earlier instance of the same name is gone from then on.
 */
export function registerWorker(store: Store, registration: Registration): Promise<Registered> {
  return inTransaction(store, async (client) => {
    await lockWorkerType(client, registration.type);
    await writeWorkerType(client, registration);
    const workerId = await writeInstance(client, registration);
    if (registration.role === 'runner') return { workerId, aliases: [] };
    if (registration.declared) await writeDeclaredTasks(client, registration.type, registration.declared);
    if (registration.profiles) await writeProfiles(client, registration.type, registration.profiles);
    return { workerId, aliases: await writeAliases(client, registration.type, registration.aliases ?? []) };
  });
}

async function writeWorkerType(client: pg.ClientBase, registration: Registration): Promise<void> {
  const { type, version, language, apiUrl, transport, owner, functions, offline } = registration;
  await client.query({
    name: 'write_worker_type',
    text: `INSERT INTO worker_types AS t (name, version, language, api_url, transport, owner_team, owner_contact, functions, behaviour, offline)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, coalesce($11, '{"policy":"wait","limitMs":86400000}'::jsonb))
           ON CONFLICT (name) DO UPDATE SET version = excluded.version, language = excluded.language,
             api_url = excluded.api_url, transport = excluded.transport, owner_team = excluded.owner_team,
             owner_contact = excluded.owner_contact, functions = excluded.functions,
             behaviour = excluded.behaviour, offline = coalesce($11, t.offline), updated_at = now()
           WHERE $9 OR t.api_url = ''`,
    values: [
      type,
      version,
      language,
      registration.role === 'runner' ? '' : (apiUrl ?? ''),
      transport,
      owner.team,
      owner.contact,
      JSON.stringify(functions),
      registration.role !== 'runner',
      JSON.stringify(behaviourByName(functions)),
      offline ? JSON.stringify(offline) : null,
    ],
  });
}

/** By function what plans pin of it: without the schemas, which are long. */
function behaviourByName(functions: Registration['functions']): { [name: string]: FunctionFact } {
  const facts = functions.map(({ name, version, cacheable, timers, retry, offline }) => [
    name,
    { version, cacheable, timers, retry, offline },
  ]);
  return Object.fromEntries(facts) as { [name: string]: FunctionFact };
}

async function writeInstance(client: pg.ClientBase, registration: Registration): Promise<WorkerInstanceId> {
  const { type, instance, version, language, slots, labels, heartbeatMs, functions } = registration;
  const workerId = newId<WorkerInstanceId>();
  await client.query({
    name: 'supersede_instances',
    text: `UPDATE worker_instances SET state = 'gone', ended_at = now()
           WHERE worker_type = $1 AND instance = $2 AND state <> 'gone'`,
    values: [type, instance],
  });
  await client.query({
    name: 'insert_instance',
    text: `INSERT INTO worker_instances (id, worker_type, instance, version, language, slots, free_slots, labels, functions, state, heartbeat_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $9, 'ready', $8)`,
    values: [
      ...[workerId, type, instance, version, language, slots, JSON.stringify(labels), heartbeatMs],
      JSON.stringify(Object.fromEntries(functions.map((fn) => [fn.name, fn.version]))),
    ],
  });
  return workerId;
}
