import { newId } from '@connecta/contracts';
import type pg from 'pg';
import type { AliasOutcome, TaskAlias } from './registration.ts';

/**
 * Makes the aliases that lead to tasks of one type exactly these. An alias takes only a name that no live profile and no
 * alias of another type has: a type cannot take another's tasks away. Inside a transaction.
 */
export async function writeAliases(
  client: pg.ClientBase,
  workerType: string,
  aliases: readonly TaskAlias[],
): Promise<AliasOutcome[]> {
  await client.query({
    name: 'end_aliases',
    text: `UPDATE profiles SET deleted_at = now() WHERE deleted_at IS NULL AND starts_with(alias_of, $1 || '/')
           AND worker_type || '/' || name <> ALL($2::text[])`,
    values: [workerType, aliases.map((alias) => alias.from)],
  });
  const outcomes: AliasOutcome[] = [];
  // In one order for everybody: two types that claim the same names wait for each other instead of deadlocking.
  for (const alias of aliases.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const [fromType = '', name = ''] = alias.from.split('/');
    const { rowCount } = await client.query({
      name: 'write_alias',
      text: `INSERT INTO profiles (worker_type, id, name, function, revision, alias_of) VALUES ($1, $2, $3, '', 1, $4)
             ON CONFLICT (worker_type, name) WHERE deleted_at IS NULL
             DO UPDATE SET alias_of = excluded.alias_of, updated_at = now()
               WHERE starts_with(profiles.alias_of, $5 || '/')`,
      values: [fromType, newId(), name, alias.to, workerType],
    });
    outcomes.push({ ...alias, state: rowCount === 1 ? 'active' : 'name_taken' });
  }
  return outcomes;
}
