import { Problem } from '@connecta/contracts';
import type { RequestHandler } from 'express';
import { principalOf } from '../http/request-context.ts';

/** Lets a request through when its principal has one of the roles. @throws Problem forbidden, naming what it takes. */
export function requireRole<Role extends string>(...allowed: readonly Role[]): RequestHandler {
  return (req, _res, next) => {
    const { role } = principalOf<{ role: string }>(req);
    if (!(allowed as readonly string[]).includes(role)) {
      throw new Problem('forbidden', `This takes the role ${allowed.join(' or ')}`);
    }
    next();
  };
}
