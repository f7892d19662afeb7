import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemError, UsageError } from '../failures.ts';
import { errorText } from '../output/problem-text.ts';
import { styleOf } from '../output/style.ts';
import type { Session } from '../session.ts';
import type { Profile } from '../api/shapes.ts';
import { findProfile } from './find-profile.ts';
import { profileYaml, readProfiles } from './profile-file.ts';

/** Each refused text is given back to the editor with the reasons on top; somebody who scripts the editor ends too. */
const MOST_ROUNDS = 10;

/**
 * Opens a profile in the editor and saves what was made of it, on the condition that nobody changed it meanwhile. Gives
 * nothing when the text was left as it was.
 *
 * @throws ProblemError when it was changed meanwhile; UsageError when the editor fails.
 */
export async function editProfile(session: Session, task: string): Promise<Profile | undefined> {
  const { api } = session;
  const { type, profile, etag } = await findProfile(api, task);
  const folder = await mkdtemp(join(tmpdir(), 'connecta-edit-'));
  const file = join(folder, `${profile.name}.yaml`);
  const original = profileYaml(type, profile);
  let text = `# ${type}/${profile.name}, revision ${profile.revision}. Lines with # are left out; an unchanged file changes nothing.\n${original}`;
  try {
    for (let round = 1; ; round += 1) {
      await writeFile(file, text, { mode: 0o600 });
      await openEditor(session, file);
      const edited = await readFile(file, 'utf8');
      if (edited === text) return undefined;
      try {
        const [declared] = await readProfiles(file, session.around);
        if (!declared) return undefined;
        if (declared.type !== type) throw new UsageError(`A profile cannot move from '${type}' to '${declared.type}'.`);
        return await api.take(
          api.client.PUT('/v1/workers/{type}/profiles/{id}', {
            params: { path: { type, id: profile.id }, header: { 'If-Match': etag } },
            body: declared.write,
          }),
        );
      } catch (error) {
        if (!mayBeMended(error) || round >= MOST_ROUNDS) throw error;
        text = `${commented(errorText(error, styleOf(false)))}\n${edited.replace(/^#.*\n/gm, '')}`;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const mayBeMended = (error: unknown): boolean =>
  error instanceof UsageError ||
  (error instanceof ProblemError && (error.problem.status === 422 || error.problem.status === 400));

const commented = (text: string): string => text.replace(/^/gm, '# ');

async function openEditor(session: Session, file: string): Promise<void> {
  const { env } = session.around;
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
  // By the shell, as git does it: an editor may come with options (`code --wait`).
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit', env: { ...env } });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new UsageError(`The editor '${editor}' ended with ${code ?? 'a signal'}: nothing was changed.`);
}
