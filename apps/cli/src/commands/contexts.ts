import type { Command } from 'commander';
import { contextFilePath, readContexts, writeContexts, type Context } from '../connection/context-file.ts';
import { UsageError } from '../failures.ts';
import type { Session } from '../session.ts';
import { table } from '../output/table.ts';
import type { CommandTools } from './tools.ts';

/** `connecta contexts …`: installations under names of one's own. */
export function addContexts(program: Command, { session }: CommandTools): void {
  const contexts = program.command('contexts').description('installations under names of your own');
  const path = (): string => contextFilePath(session.around.env);
  contexts
    .command('list', { isDefault: true })
    .description('all contexts, and which installation a command would talk to now')
    .action(() => {
      const { current, contexts: known } = readContexts(path());
      const rows = Object.entries(known).map(([name, context]) => ({
        name,
        current: name === current,
        ...shown(context),
      }));
      session.print.data(rows, (style) =>
        rows.length === 0
          ? `There are no contexts in ${path()}.`
          : table(
              [{ title: '' }, { title: 'NAME', keep: true }, { title: 'URL' }, { title: 'KEY' }, { title: 'CLIENT' }],
              rows.map((row) => [row.current ? '*' : '', row.name, row.url, row.key, row.client ?? '–']),
              { width: session.print.width, style },
            ),
      );
    });
  contexts
    .command('use')
    .description('make a context the one that is meant when nothing else says so')
    .argument('<name>')
    .action((name: string) => {
      const file = readContexts(path());
      if (!file.contexts[name]) throw new UsageError(`There is no context '${name}'.`);
      writeContexts(path(), { ...file, current: name });
      session.print.data({ current: name }, () => `Commands mean '${name}' from now on.`);
    });
  contexts
    .command('set')
    .description('keep the address and key given by --url and --key under a name (only you can read the file)')
    .argument('<name>')
    .option('--key-variable <variable>', 'the environment variable that holds the key, in place of --key')
    .option('--client <client>', 'whose orders they are when nothing says so')
    .action((name: string, options: { keyVariable?: string; client?: string }, command: Command) => {
      const { url, key } = command.optsWithGlobals<{ url?: string; key?: string }>();
      if (url === undefined) throw new UsageError('Give the address with --url.');
      const file = readContexts(path());
      const context: Context = {
        url,
        ...(key === undefined ? {} : { key }),
        ...(options.keyVariable === undefined ? {} : { keyVariable: options.keyVariable }),
        ...(options.client === undefined ? {} : { client: options.client }),
      };
      writeContexts(path(), { current: file.current ?? name, contexts: { ...file.contexts, [name]: context } });
      session.print.data({ name, ...shown(context) }, () => `The context '${name}' is kept in ${path()}.`);
    });
  addDelete(contexts, session);
}

function addDelete(contexts: Command, session: Session): void {
  const path = contextFilePath(session.around.env);
  contexts
    .command('delete')
    .description('forget a context')
    .argument('<name>')
    .action((name: string) => {
      const { current, contexts: known } = readContexts(path);
      const { [name]: gone, ...others } = known;
      if (!gone) throw new UsageError(`There is no context '${name}'.`);
      writeContexts(path, { ...(current === undefined || current === name ? {} : { current }), contexts: others });
      session.print.data({ name, deleted: true }, () => `The context '${name}' is forgotten.`);
    });
}

/** A context without its secret. */
function shown({ url, key, keyVariable, client }: Context): { url: string; key: string; client?: string } {
  const where = key !== undefined ? `${key.slice(0, 6)}…` : keyVariable === undefined ? 'none' : `$${keyVariable}`;
  return { url, key: where, ...(client === undefined ? {} : { client }) };
}
