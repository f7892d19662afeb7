import type { FileRef, JsonValue } from '@connecta/contracts';
import { filesBeyond, type PlannedStep } from '@connecta/domain';
import type { Beginning, Prepared } from './prepare-step.ts';

/**
 * The files of legacy shares that a beginning names and the order was not placed with: each must be in a worker's result.
 * An order is placed with the files that its sender might name; an expression or an answer could name any. A wait only
 * passes its input on.
 */
export function strangeFiles(
  step: PlannedStep,
  { input, params = {} }: Pick<Beginning, 'input' | 'params'>,
  order: { input: JsonValue | undefined; params: JsonValue },
): FileRef[] {
  return step.kind === 'wait' ? [] : filesBeyond([input, params], [order.input ?? null, order.params]);
}

/** How a step ends that names a file of which nothing is known. */
export function fileNotAllowed({ share, path }: FileRef): Prepared {
  const message =
    `the file "${path}" of the share "${share}" stands neither in the order's input ` +
    'nor in a result of a worker that may name files';
  return { is: 'error', error: { kind: 'permanent', code: 'file_not_allowed', message } };
}
