import type { Order } from '../api/shapes.ts';
import { EXIT, type ExitCode } from '../failures.ts';
import type { Session } from '../session.ts';
import { orderText } from './order-text.ts';

/** Prints an order and gives the exit code that stands for how it ended; one that has not ended did not fail. */
export function showEnd(session: Session, order: Order): ExitCode {
  const { print } = session;
  print.data(order, (style) => orderText(order, { style, width: print.width, now: Date.now() }));
  return order.state === 'failed' || order.state === 'cancelled' ? EXIT.failed : EXIT.ok;
}
