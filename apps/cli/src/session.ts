import { Api } from './api/api.ts';
import { findTarget, type Target } from './connection/target.ts';
import { CliError, EXIT, UsageError } from './failures.ts';
import { Printer, type OutputFormat, type OutputStream } from './output/printer.ts';

/** The process around a command; a value, so that tests can stand in for it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean | undefined };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** The options that every command understands. */
export interface GlobalOptions {
  output?: string;
  url?: string;
  key?: string;
  context?: string;
  color?: boolean;
}

/** One run of the command line: its surroundings, what it prints through, and the installation that it talks to. */
export class Session {
  readonly around: Surroundings;
  /** Aborted by Ctrl-C: whatever waits ends, and says how to go on. */
  readonly interrupted: AbortSignal;
  #printer: Printer;
  #options: GlobalOptions = {};
  #api: Api | undefined;

  constructor(around: Surroundings, interrupted: AbortSignal) {
    this.around = around;
    this.interrupted = interrupted;
    this.#printer = this.#printerFor({});
  }

  /** Takes the global options over; called before each command. @throws UsageError */
  configure(options: GlobalOptions): void {
    this.#options = options;
    this.#printer = this.#printerFor(options);
  }

  get print(): Printer {
    return this.#printer;
  }

  /** Which installation is meant. @throws CliError when nothing says it. */
  get target(): Target {
    const { env, cwd } = this.around;
    const target = findTarget(this.#options, env, cwd);
    if (target) return target;
    throw new CliError(EXIT.usage, 'Nothing says which installation is meant.', [
      "Start one here with 'connecta up', or give --url and --key, or CONNECTA_URL and CONNECTA_KEY,",
      "or keep both with 'connecta contexts set NAME --url URL --key KEY'.",
    ]);
  }

  /** fe-api of the installation that is meant. @throws CliError when the address or the key is not known. */
  get api(): Api {
    if (this.#api) return this.#api;
    const { url, key, source } = this.target;
    if (key === undefined) {
      throw new CliError(EXIT.notAllowed, `There is no key for ${url} (address from: ${source}).`, [
        'Give it with --key or CONNECTA_KEY.',
      ]);
    }
    this.#api = new Api({ url, key, stopping: this.interrupted });
    return this.#api;
  }

  /** The client that new orders are for, when the command line does not say; undefined leaves it to the system. */
  get client(): string | undefined {
    return this.target.client;
  }

  #printerFor(options: GlobalOptions): Printer {
    const { env, stdout, stderr } = this.around;
    // https://no-color.org: any value that is not empty; a dumb terminal knows no colours either.
    const never = options.color === false || Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb';
    const colours = never ? 'never' : env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0' ? 'always' : 'auto';
    return new Printer({ format: formatOf(options.output), out: stdout, err: stderr, colours });
  }
}

function formatOf(name: string | undefined): OutputFormat {
  if (name === undefined || name === 'table' || name === 'text') return 'text';
  if (name === 'json' || name === 'yaml') return name;
  throw new UsageError(`-o takes json or yaml, not '${name}'.`);
}
