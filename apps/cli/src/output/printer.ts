import { stringify } from 'yaml';
import { styleOf, type Style } from './style.ts';

/** What a command prints for: a person, or a program. */
export type OutputFormat = 'text' | 'json' | 'yaml';

/** A stream that may be a terminal. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Where a command's words go: data to stdout, messages to stderr. */
export class Printer {
  readonly format: OutputFormat;
  readonly style: Style;
  /** The style of messages, which may go to another place than data. */
  readonly noteStyle: Style;
  readonly out: OutputStream;
  readonly err: OutputStream;

  constructor(options: {
    format: OutputFormat;
    out: OutputStream;
    err: OutputStream;
    colours: 'auto' | 'never' | 'always';
  }) {
    this.format = options.format;
    this.out = options.out;
    this.err = options.err;
    const colours = (stream: OutputStream): boolean =>
      options.colours === 'always' || (options.colours === 'auto' && stream.isTTY === true);
    this.style = styleOf(colours(options.out) && options.format === 'text');
    this.noteStyle = styleOf(colours(options.err));
  }

  /** The columns that a line may have; what is piped on is cut by nobody. */
  get width(): number {
    return this.out.isTTY ? (this.out.columns ?? 80) : 200;
  }

  /** True when lines on stdout may be overwritten: a terminal, for a person. */
  get live(): boolean {
    return this.format === 'text' && this.out.isTTY === true;
  }

  /** The outcome of the command: for a person as the text, for a program as the value. */
  data(value: unknown, text: (style: Style) => string): void {
    if (this.format === 'json') this.out.write(`${JSON.stringify(value, null, 2)}\n`);
    else if (this.format === 'yaml') this.out.write(stringify(value, { lineWidth: 0 }));
    else {
      const said = text(this.style);
      if (said !== '') this.out.write(`${said}\n`);
    }
  }

  /** A line for a person who watches; no part of the outcome. Goes to stderr when a program reads stdout. */
  progress(text: string): void {
    (this.format === 'text' ? this.out : this.err).write(`${text}\n`);
  }

  /** Something to know beside the outcome. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }
}
