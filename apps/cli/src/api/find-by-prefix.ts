import { CliError, EXIT, UsageError } from '../failures.ts';

/** The one thing that a text means: by its name, its id, or the beginning of its id. @throws CliError */
export function findByPrefix<Thing extends { id: string; name: string }>(
  things: readonly Thing[],
  text: string,
  kind: string,
): Thing {
  const named = things.filter(({ id, name }) => id === text || name === text);
  const found = named.length > 0 ? named : things.filter(({ id }) => text.length >= 4 && id.startsWith(text));
  const [first, ...others] = found;
  if (!first) throw new CliError(EXIT.notFound, `There is no ${kind} '${text}'.`);
  if (others.length === 0) return first;
  throw new UsageError(
    `'${text}' could be ${found.length} of them; give more of the id:`,
    found.slice(0, 5).map(({ id, name }) => `${id}  ${name}`),
  );
}
