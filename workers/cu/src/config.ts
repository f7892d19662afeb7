import { dirname, delimiter, isAbsolute, join, relative } from 'node:path';
import { tmpdir } from 'node:os';
import { NAME_PATTERN } from '@connecta/contracts';
import { ConfigError, configFields, processConfig, processConfigFields, readConfig } from '@connecta/runtime';
import type { ProcessConfig } from '@connecta/runtime';
import { z } from 'zod';
import { readCommandList } from './exec/command-list.ts';
import type { CuRules } from './functions.ts';
import type { InboxSettings } from './inbox/inbox-settings.ts';
import { SHARE_USES, type Share } from './shares/shares.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const absolutePath = z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'expected an absolute path');
const name = z.string().regex(NAME_PATTERN, 'expected a name in lower case');

/** A variable that holds JSON of a schema; its faults are told by their place in it. */
function jsonVariable<Schema extends z.ZodType>(schema: Schema) {
  return z.string().transform((text, context): z.output<Schema> => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      context.addIssue('expected JSON');
      return z.NEVER;
    }
    const read = schema.safeParse(json);
    if (read.success) return read.data;
    for (const { path, message } of read.error.issues) context.addIssue(`${path.join('.') || 'JSON'}: ${message}`);
    return z.NEVER;
  });
}

const sharesSchema = z.record(name, z.strictObject({ path: absolutePath, uses: z.array(z.enum(SHARE_USES)).min(1) }));

const rulesFields = {
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  CU_COMMANDS: z.string().optional(),
  CU_ENV: configFields.list(['TZ']),
  CU_SHARES: jsonVariable(sharesSchema).default({}),
};

/**
 * Reads what the operator lets profiles do. Without `CU_COMMANDS` gzip is allowed, where there is one.
 *
 * @throws ConfigError naming every fault.
 */
export function readCuRules(env: Environment): CuRules {
  const read = readConfig(z.object(rulesFields), env);
  const path = [dirname(process.execPath), read.PATH].join(delimiter);
  const { commands, faults } = readCommandList(read.CU_COMMANDS ?? 'gzip', path);
  const harmful = read.CU_ENV.filter((variable) =>
    /^(?:LD_|DYLD_|NODE_|PYTHON|PERL|RUBY|PATH$|BASH_ENV$|ENV$|IFS$)/.test(variable),
  );
  const told = [
    ...(read.CU_COMMANDS === undefined ? [] : faults).map((expected) => ({ variable: 'CU_COMMANDS', expected })),
    ...harmful.map((variable) => ({ variable: 'CU_ENV', expected: `${variable} changes which code programs load` })),
    ...overlaps(read.CU_SHARES, [...commands.values()]),
  ];
  if (told.length > 0) throw new ConfigError(told);
  return { commands, envNames: read.CU_ENV, path, shares: read.CU_SHARES };
}

/** A program that lies on a share could be replaced through the share. */
function overlaps(shares: Readonly<Record<string, Share>>, programs: readonly string[]) {
  return Object.entries(shares).flatMap(([share, { path }]) =>
    programs
      .filter((program) => isInside(path, program))
      .map((program) => ({ variable: 'CU_SHARES', expected: `${program} lies on share ${share}: move it elsewhere` })),
  );
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

/** Reads two parts of a configuration and tells the faults of both. @throws ConfigError */
export function readBoth<A, B>(first: () => A, second: () => B): [A, B] {
  const faults: ConfigError['faults'][number][] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const [a, b] = [attempt(first), attempt(second)];
  if (faults.length > 0) throw new ConfigError(faults);
  return [a as A, b as B];
}

/** Where jobs keep their files while they run: a local disk. */
export function jobFolder(dataDir: string | undefined): string {
  return join(dataDir ?? join(tmpdir(), 'connecta-cu'), 'jobs');
}

const inboxSchema = z
  .strictObject({
    name,
    path: absolutePath,
    client: z.string().min(1),
    workflow: z.string().min(1).optional(),
    tasks: z.array(z.string().min(1)).min(1).optional(),
    outbox: absolutePath,
    rejected: absolutePath,
    working: absolutePath.optional(),
    processed: absolutePath.optional(),
    create: z.boolean().default(false),
    stableMs: z.number().int().min(0).max(3_600_000).default(3_000),
    pollMs: z.number().int().min(50).max(600_000).default(1_000),
    maxBytes: z
      .number()
      .int()
      .positive()
      .default(16 * 1024 ** 3),
    maxInFlight: z.number().int().min(1).max(1_000).default(16),
  })
  .refine(({ workflow, tasks }) => workflow === undefined || tasks === undefined, 'either workflow or tasks')
  .refine((inbox) => {
    const folders = [inbox.path, inbox.outbox, inbox.rejected, inbox.processed, inbox.working];
    const given = folders.filter((folder) => folder !== undefined).map((folder) => join(folder, '.'));
    return new Set(given).size === given.length;
  }, 'path, outbox, rejected, processed and working must be different folders');

/** The configuration of the inbox process. */
export interface InboxConfig extends ProcessConfig {
  beApiUrl: string;
  serviceAccountKey: string;
  inboxes: InboxSettings[];
  /** Shares from which `{file}` results are copied to an outbox. */
  shares: Readonly<Record<string, Share>>;
}

const inboxProcessSchema = z.object({
  ...processConfigFields,
  BE_API_URL: configFields.url(),
  SERVICE_ACCOUNT_KEY: configFields.text(),
  CU_SHARES: jsonVariable(sharesSchema).default({}),
  CU_INBOXES: jsonVariable(
    z
      .array(inboxSchema)
      .refine((inboxes) => new Set(inboxes.map((inbox) => inbox.name)).size === inboxes.length, 'names must differ')
      .refine((inboxes) => new Set(inboxes.map((inbox) => inbox.path)).size === inboxes.length, 'paths must differ'),
  ),
});

/** @throws ConfigError naming every fault. */
export function readInboxConfig(env: Environment): InboxConfig {
  const read = readConfig(inboxProcessSchema, env);
  return {
    ...processConfig(read),
    beApiUrl: read.BE_API_URL,
    serviceAccountKey: read.SERVICE_ACCOUNT_KEY,
    shares: read.CU_SHARES,
    inboxes: read.CU_INBOXES.map((inbox) => ({
      ...inbox,
      workflow: inbox.workflow,
      tasks: inbox.tasks,
      processed: inbox.processed,
      working: inbox.working ?? join(inbox.path, '.connecta'),
    })),
  };
}
