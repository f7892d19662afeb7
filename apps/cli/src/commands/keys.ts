import { InvalidArgumentError, type Command } from 'commander';
import type { ApiKey, Body } from '../api/shapes.ts';
import { findByPrefix } from '../api/find-by-prefix.ts';
import { table } from '../output/table.ts';
import { agoText } from '../output/value-text.ts';
import type { CommandTools } from './tools.ts';

type Role = Body<'createApiKey'>['role'];
const ROLES: readonly Role[] = ['admin', 'operator', 'viewer', 'client'];

/** `connecta keys …`. */
export function addKeys(program: Command, tools: CommandTools): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('list')
    .description('all keys that were not revoked')
    .action(() => list(tools));
  keys
    .command('create')
    .description('create a key; it is shown this once')
    .argument('<name>', 'what people call it')
    .requiredOption('--role <role>', ROLES.join(', '), roleOf)
    .option('--client <name>', 'the client that the key is limited to (role client)')
    .action((name: string, options: { role: Role; client?: string }) => create({ name, ...options }, tools));
  keys
    .command('revoke')
    .description('revoke a key')
    .argument('<key>', 'its id, the beginning of it, or its name')
    .action((text: string) => revoke(text, tools));
}

const listAll = ({ api }: CommandTools['session']): Promise<ApiKey[]> =>
  api.list<ApiKey>((cursor) => api.client.GET('/v1/api-keys', { params: { query: cursor } }));

async function list({ session }: CommandTools): Promise<void> {
  const { print } = session;
  const keys = await listAll(session);
  print.data(keys, (style) =>
    table(
      [
        { title: 'ID', keep: true },
        { title: 'NAME' },
        { title: 'ROLE', keep: true },
        { title: 'CLIENT' },
        { title: 'MADE' },
        { title: 'LAST USED' },
      ],
      keys.map((key) => [
        key.id,
        key.name,
        key.role,
        key.client ?? '–',
        agoText(key.createdAt, Date.now()),
        key.lastUsedAt === null ? 'never' : agoText(key.lastUsedAt, Date.now()),
      ]),
      { width: print.width, style },
    ),
  );
}

async function create(
  { name, role, client }: { name: string; role: Role; client?: string },
  { session }: CommandTools,
): Promise<void> {
  const { api, print } = session;
  const made = await api.take(
    api.client.POST('/v1/api-keys', { body: { name, role, ...(client === undefined ? {} : { client }) } }),
  );
  print.data(made, () => made.key);
  if (print.format === 'text') print.note(`The key '${made.name}' (${made.role}) is shown this once: keep it.`);
}

async function revoke(text: string, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const key = findByPrefix(await listAll(session), text, 'API key');
  await api.take(api.client.DELETE('/v1/api-keys/{id}', { params: { path: { id: key.id } } }));
  print.data(
    { id: key.id, name: key.name, revoked: true },
    () => `The key '${key.name}' is revoked within five seconds.`,
  );
}

function roleOf(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role) return role;
  throw new InvalidArgumentError(`It is one of ${ROLES.join(', ')}.`);
}
