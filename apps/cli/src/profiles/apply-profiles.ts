import type { Api } from '../api/api.ts';
import { CliError, ProblemError } from '../failures.ts';
import { diffText } from '../output/line-diff.ts';
import type { Style } from '../output/style.ts';
import { withOneKey } from '../orders/place-order.ts';
import { findProfileIn } from './find-profile.ts';
import { profileYaml, type DeclaredProfile } from './profile-file.ts';

/** What applying a declared profile does, or would do. */
export interface Application {
  readonly task: string;
  readonly action: 'create' | 'change' | 'keep';
  readonly revision?: number;
  /** What the number counts, where that is no revision. */
  readonly counts?: string;
  readonly diff: string;
}

/** How secrets are shown: stored ones are not read back. */
const KEPT = '__kept__';

/** Brings the server to what a file declares; the same file twice changes nothing. With `dryRun` it only tells. */
export async function applyProfile(
  api: Api,
  declared: DeclaredProfile,
  options: { dryRun: boolean; style: Style },
): Promise<Application> {
  const { type, write } = declared;
  const task = `${type}/${write.name}`;
  try {
    const found = await findProfileIn(api, type, write.name);
    const after = profileYaml(type, write);
    if (!found) {
      const diff = diffText('', after, options.style);
      if (options.dryRun) return { task, action: 'create', diff };
      const { revision } = await withOneKey((key) =>
        api.take(
          api.client.POST('/v1/workers/{type}/profiles', {
            params: { path: { type }, header: { 'Idempotency-Key': key } },
            body: write,
          }),
        ),
      );
      return { task, action: 'create', revision, diff };
    }
    const { profile, etag } = found;
    const settings = withKeptSecrets(write.settings, profile.settings);
    const diff = diffText(profileYaml(type, profile), profileYaml(type, { ...write, settings }), options.style);
    if (diff === '') return { task, action: 'keep', revision: profile.revision, diff };
    if (options.dryRun) return { task, action: 'change', revision: profile.revision, diff };
    const changed = await api.take(
      api.client.PUT('/v1/workers/{type}/profiles/{id}', {
        params: { path: { type, id: profile.id }, header: { 'If-Match': etag } },
        body: { ...write, settings },
      }),
    );
    return {
      task,
      action: changed.revision === profile.revision ? 'keep' : 'change',
      revision: changed.revision,
      diff,
    };
  } catch (error) {
    throw at(declared.place, error);
  }
}

/** Secrets that a file leaves out keep their value, as they do on the server. */
function withKeptSecrets<Settings extends Record<string, unknown>>(
  declared: Settings,
  stored: Record<string, unknown>,
): Settings {
  const kept = Object.entries(stored).filter(([name, value]) => value === KEPT && !(name in declared));
  return { ...declared, ...Object.fromEntries(kept) };
}

function at(place: string, error: unknown): unknown {
  if (error instanceof ProblemError) {
    return new ProblemError({ ...error.problem, detail: `${place}: ${error.problem.detail ?? error.problem.title}` });
  }
  if (error instanceof CliError) return new CliError(error.exitCode, `${place}: ${error.message}`, error.hints);
  return error;
}
