import type { Command } from 'commander';
import type { Profile, ProfileWrite } from '../api/shapes.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../failures.ts';
import { diffText } from '../output/line-diff.ts';
import type { Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { agoText, shortValue } from '../output/value-text.ts';
import { readValue } from '../orders/order-input.ts';
import { withOneKey } from '../orders/place-order.ts';
import { applyProfile, type Application } from '../profiles/apply-profiles.ts';
import { editProfile } from '../profiles/edit-profile.ts';
import { findProfile, type FoundProfile } from '../profiles/find-profile.ts';
import { profileYaml, readProfiles } from '../profiles/profile-file.ts';
import { parseTask } from '../profiles/task-name.ts';
import { revisionOf, type CommandTools } from './tools.ts';

/** `connecta profiles …`. */
export function addProfiles(program: Command, tools: CommandTools): void {
  const profiles = program.command('profiles').description("settings for a worker type's functions (setups)");
  profiles
    .command('list', { isDefault: true })
    .description('the profiles of one worker type, or of all')
    .argument('[type]', 'the worker type')
    .action((type: string | undefined) => list(type, tools));
  profiles
    .command('get')
    .description('one profile, as a file that apply reads')
    .argument('<task>', TASK)
    .option('--revision <n>', 'an older revision', revisionOf)
    .action((task: string, options: { revision?: number }) => get(task, options, tools));
  profiles
    .command('create')
    .description('create a profile')
    .argument('<task>', TASK)
    .requiredOption('--function <name>', 'the function, as math.add')
    .option('--settings <json>', 'JSON, @file (JSON or YAML), or - for standard input', '{}')
    .action((task: string, options: { function: string; settings: string }) => create(task, options, tools));
  profiles
    .command('edit')
    .description('change a profile in $EDITOR; refused when somebody changed it meanwhile')
    .argument('<task>', TASK)
    .action((task: string) => edit(task, tools));
  profiles
    .command('diff')
    .description('what changed between two revisions, or what a file would change')
    .argument('[task]', TASK)
    .argument('[from]', 'a revision; the one before the newest when left out', revisionOf)
    .argument('[to]', 'a revision; the newest when left out', revisionOf)
    .option('-f, --file <path>', 'compare the server with this file or folder')
    .action((task: string | undefined, from: number | undefined, to: number | undefined, options: { file?: string }) =>
      diff({ task, from, to, ...options }, tools),
    );
  profiles
    .command('apply')
    .description('bring the server to what files declare; twice changes nothing')
    .requiredOption('-f, --file <path>', 'a YAML or JSON file, a folder of them, or - for standard input')
    .option('--dry-run', 'only tell what would change')
    .action((options: { file: string; dryRun?: boolean }) => apply(options, tools));
  profiles
    .command('delete')
    .description('delete a profile; orders that run keep the revision that they started with')
    .argument('<task>', TASK)
    .action((task: string) => remove(task, tools));
}

const TASK = 'worker-type/profile';

async function list(type: string | undefined, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const types =
    type === undefined ? (await api.take(api.client.GET('/v1/workers'))).items.map((worker) => worker.type) : [type];
  const lists = await Promise.all(
    types.map(async (each) => {
      const page = (cursor: { cursor?: string }) =>
        api.client.GET('/v1/workers/{type}/profiles', { params: { path: { type: each }, query: cursor } });
      try {
        return (await api.list<Profile>(page)).map((profile) => ({ task: `${each}/${profile.name}`, ...profile }));
      } catch (error) {
        // Of many types one that is away is no reason to show none.
        if (type !== undefined || !(error instanceof Error)) throw error;
        print.note(`${each}: ${error.message}`);
        return [];
      }
    }),
  );
  const all = lists.flat();
  print.data(all, (style) =>
    all.length === 0
      ? 'No profiles.'
      : table(
          [
            { title: 'TASK', keep: true },
            { title: 'FUNCTION', keep: true },
            { title: 'REV', keep: true },
            { title: 'CHANGED', keep: true },
            { title: 'SETTINGS' },
          ],
          all.map((profile) => [
            profile.task,
            profile.function,
            String(profile.revision),
            agoText(profile.updatedAt, Date.now()),
            shortValue(profile.settings),
          ]),
          { width: print.width, style },
        ),
  );
}

async function get(task: string, { revision }: { revision?: number }, { session }: CommandTools): Promise<void> {
  const found = await findProfile(session.api, task);
  const shown = revision === undefined ? found.profile : await revisionBy(session, found, revision);
  session.print.data(shown, () => profileYaml(found.type, shown).trimEnd());
}

async function revisionBy(session: Session, { type, profile }: FoundProfile, revision: number) {
  return session.api.take(
    session.api.client.GET('/v1/workers/{type}/profiles/{id}/revisions/{revision}', {
      params: { path: { type, id: profile.id, revision } },
    }),
  );
}

async function create(
  task: string,
  options: { function: string; settings: string },
  { session }: CommandTools,
): Promise<void> {
  const { type, name } = parseTask(task);
  const settings = (await readValue(options.settings, '--settings', session.around)) as ProfileWrite['settings'];
  const { api } = session;
  const made = await withOneKey((key) =>
    api.take(
      api.client.POST('/v1/workers/{type}/profiles', {
        params: { path: { type }, header: { 'Idempotency-Key': key } },
        body: { name, function: options.function, settings },
      }),
    ),
  );
  session.print.data(made, () => `${type}/${made.name} is there at revision ${made.revision}`);
}

async function edit(task: string, { session }: CommandTools): Promise<void> {
  const changed = await editProfile(session, task);
  session.print.data(changed ?? null, () =>
    changed ? `${task} is at revision ${changed.revision}` : `${task} was left as it was`,
  );
}

async function diff(
  options: { task: string | undefined; from: number | undefined; to: number | undefined; file?: string },
  tools: CommandTools,
): Promise<void> {
  const { session } = tools;
  if (options.file !== undefined) return apply({ file: options.file, dryRun: true }, tools);
  if (options.task === undefined)
    throw new UsageError('Say which profile (worker-type/profile), or give a file with -f.');
  const found = await findProfile(session.api, options.task);
  const newest = found.profile.revision;
  const to = options.to ?? newest;
  const from = options.from ?? to - 1;
  if (from < 1) {
    session.print.data(
      { from: null, to, before: null, after: found.profile },
      () => `${options.task ?? ''} has one revision.`,
    );
    return;
  }
  const [before, after] = await Promise.all([revisionBy(session, found, from), revisionBy(session, found, to)]);
  session.print.data({ from, to, before, after }, (style) => {
    const text = diffText(profileYaml(found.type, before), profileYaml(found.type, after), style);
    return text === ''
      ? `Revisions ${from} and ${to} say the same.`
      : `${style.faint(`revision ${from} → ${to}`)}\n${text}`;
  });
}

async function apply(
  { file, dryRun = false }: { file: string; dryRun?: boolean },
  { session }: CommandTools,
): Promise<void> {
  const { api, print } = session;
  const declared = await readProfiles(file, session.around);
  const applied: Application[] = [];
  // One after the other: a fault in the third leaves the first two applied, and says so.
  for (const each of declared) applied.push(await applyProfile(api, each, { dryRun, style: print.style }));
  print.data(applied, (style) => applied.map((each) => applicationText(each, dryRun, style)).join('\n'));
}

/** What became of one declared thing, with what changed. */
export function applicationText(
  { task, action, revision, counts = 'revision', diff: text }: Application,
  dryRun: boolean,
  style: Style,
): string {
  const words = {
    create: dryRun ? style.good('would be created') : style.good('created'),
    change: dryRun ? style.warn('would be changed') : style.warn('changed'),
    keep: style.faint('unchanged'),
  };
  const at = revision === undefined || dryRun ? '' : ` (${counts} ${revision})`;
  return [`${style.strong(task)} ${words[action]}${at}`, ...(text === '' ? [] : [text])].join('\n');
}

async function remove(task: string, { session }: CommandTools): Promise<void> {
  const { api } = session;
  const { type, profile, etag } = await findProfile(api, task);
  await api.take(
    api.client.DELETE('/v1/workers/{type}/profiles/{id}', {
      params: { path: { type, id: profile.id }, header: { 'If-Match': etag } },
    }),
  );
  session.print.data({ task, deleted: true }, () => `${task} is deleted`);
}
