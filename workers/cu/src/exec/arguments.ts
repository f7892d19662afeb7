import type { JsonValue } from '@connecta/contracts';
import { FunctionError } from '@connecta/worker-kit';

/** The pattern of one argument: text and placeholders; `{{` and `}}` stand for braces. */
export const ARGUMENT_PATTERN =
  '^(?:[^{}\\u0000-\\u001f]|\\{\\{|\\}\\}|\\{(?:input|output|id|params\\.[A-Za-z_][A-Za-z0-9_]{0,63})\\})*$';
const PLACEHOLDER = /\{\{|\}\}|\{(input|output|id|params\.[A-Za-z_]\w*)\}/g;

/**
 * What a text parameter may hold when it becomes a part of an argument: no slashes, so that it can name nothing outside
 * of the job's folder, and no control characters.
 */
const SAFE_PARAMETER = /^[\p{L}\p{N}\p{M} _.,:+@%=#&~-]{0,500}$/u;

/**
 * Fills the placeholders of a command line. Each argument stays one argument whatever is filled in: there is no shell.
 *
 * @throws FunctionError permanent `bad_params` when a parameter is missing, is no number, boolean or harmless text, or
 *   would turn into an option (a text beginning with `-` at the argument's begin).
 */
export function fillArguments(
  template: readonly string[],
  values: { input: string; output: string; id: string; params: { readonly [name: string]: JsonValue } },
): string[] {
  return template.map((argument) =>
    argument.replace(PLACEHOLDER, (text, name: string | undefined, at: number) => {
      if (name === undefined) return text.charAt(0);
      if (name === 'input' || name === 'output' || name === 'id') return values[name];
      return parameterText(name.slice('params.'.length), values.params, at === 0);
    }),
  );
}

function parameterText(name: string, params: { readonly [name: string]: JsonValue }, isFirst: boolean): string {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const refused = (why: string): FunctionError => new FunctionError('permanent', 'bad_params', `params.${name} ${why}`);
  if (value === undefined) throw refused('is missing');
  if (typeof value !== 'string') throw refused('is neither text, number nor boolean');
  if (!SAFE_PARAMETER.test(value) || /^\.{1,2}$/.test(value))
    throw refused('holds characters that are not let through');
  if (isFirst && value.startsWith('-')) throw refused('must not begin with a dash');
  return value;
}
