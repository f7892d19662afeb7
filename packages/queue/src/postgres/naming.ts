import { createHash } from 'node:crypto';

/** Longest identifier of Postgres. */
const MAX_IDENTIFIER = 63;

/** A schema's name out of parts: BullMQ allows letters, digits, `_` and `$` only, so `-` and `.` are spelled out. */
function schemaName(...parts: string[]): string {
  const name = parts.map((part) => part.replaceAll('-', '$d').replaceAll('.', '$p')).join('_$_');
  const valid = /^[0-9]/.test(name) ? `_${name}` : name;
  if (valid.length > MAX_IDENTIFIER) throw new TypeError(`too long for a Postgres schema: '${parts.join(' ')}'`);
  return valid;
}

/** The schema that all worker types have in common; no worker's role can look into it. */
export function commonSchema(prefix: string): string {
  return schemaName(prefix);
}

/** The schema of one worker type: its BullMQ tables. */
export function typeSchema(prefix: string, workerType: string): string {
  return schemaName(prefix, workerType);
}

/** The role of one worker type. Roles belong to the whole server, so the database takes part in the name. */
export function typeRole(prefix: string, workerType: string, database: string): string {
  const mark = createHash('sha256').update(`${database}/${prefix}/${workerType}`).digest('hex').slice(0, 8);
  return `${prefix}-${workerType}`.slice(0, MAX_IDENTIFIER - mark.length - 1) + `-${mark}`;
}

/** A name as SQL. */
export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
