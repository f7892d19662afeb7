import type { JsonValue, Strategy } from '@connecta/contracts';

type Params = { [name: string]: JsonValue };

/** The param in which an order of a task's invocation keeps how it came about; `upstream` beside it holds taken results. */
export const INVOCATION_PARAM = 'invocation';
/** The param in which an order of a schedule keeps its slot. */
export const SLOT_PARAM = 'scheduledAt';

/** What holds where an order says nothing. */
const DEFAULTS = { strategy: 'final' } as const satisfies { strategy: Strategy };

/**
 * The params that a step's function sees: the order's under the step's, a strategy always among them. How the order came
 * about is for expressions alone: it differs from order to order, and what a function sees its result may depend on, so
 * that no result could be taken over.
 */
export function functionParams(ofOrder: Params, ofStep?: Params): Params {
  const { [SLOT_PARAM]: _slot, [INVOCATION_PARAM]: invocation, ...given } = ofOrder;
  if (invocation === undefined) return { ...DEFAULTS, ...given, ...ofStep };
  const { upstream: _taken, ...own } = given;
  return { ...DEFAULTS, ...own, ...ofStep };
}
