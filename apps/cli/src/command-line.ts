import { Command, CommanderError } from 'commander';
import { CliError, EXIT } from './failures.ts';
import { errorText } from './output/problem-text.ts';
import { addCommands } from './commands/index.ts';
import { Session, type GlobalOptions, type Surroundings } from './session.ts';

/**
 * Runs one command line to its end and says with which code the process ends. Whatever goes wrong is told on stderr in a
 * person's words; a stack is shown only when CONNECTA_DEBUG asks for it.
 */
export async function runCommandLine(
  args: readonly string[],
  options: { around: Surroundings; interrupted: AbortSignal },
): Promise<number> {
  const { around, interrupted } = options;
  const session = new Session(around, interrupted);
  const outcome = { code: EXIT.ok as number };
  const program = createProgram(session, (code) => (outcome.code = code));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError && error.message === '') return error.exitCode;
    around.stderr.write(`${errorText(error, session.print.noteStyle)}\n`);
    if (around.env['CONNECTA_DEBUG'] && error instanceof Error) around.stderr.write(`${error.stack ?? ''}\n`);
    return error instanceof CliError ? error.exitCode : EXIT.unavailable;
  }
}

/** The whole command tree. `ended` takes the exit code of a command that did its work. */
export function createProgram(session: Session, ended: (code: number) => void): Command {
  const { stdout, stderr } = session.around;
  const program = new Command('connecta')
    .description('Sends orders to a Connecta installation, watches them, and steers it.')
    .option('-o, --output <format>', 'json or yaml: stdout holds only data, for scripts')
    .option('--url <url>', 'address of fe-api (CONNECTA_URL)')
    .option('--key <key>', 'API key (CONNECTA_KEY)')
    .option('--context <name>', 'a context of ~/.config/connecta/config.yaml (CONNECTA_CONTEXT)')
    .option('--no-color', 'no colours (NO_COLOR)')
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("('connecta help …' tells more)")
    .exitOverride();
  program.hook('preAction', (_program, command) => session.configure(command.optsWithGlobals<GlobalOptions>()));
  addCommands(program, { session, ended });
  return program;
}
