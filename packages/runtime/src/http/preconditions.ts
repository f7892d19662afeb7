import { Problem } from '@connecta/contracts';
import type { Request, Response } from 'express';

/** The strong ETag of a revision: `"5"`. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

export function setEtag(res: Response, revision: number): void {
  res.setHeader('etag', etagOf(revision));
}

/**
 * The revision that the sender wants to change, from `If-Match`; `*` stands for whatever there is.
 *
 * @throws Problem precondition_required when the header is missing, bad_request when it is not one of our ETags.
 */
export function requireIfMatch(req: Request): number | '*' {
  const header = req.headers['if-match'];
  if (header === undefined) {
    throw new Problem('precondition_required', 'Send the ETag that you read as If-Match');
  }
  if (header.trim() === '*') return '*';
  const revision = /^(?:W\/)?"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (revision === undefined) {
    throw new Problem('bad_request', 'If-Match is not an ETag of this API', {
      faults: [{ path: 'header:if-match', message: 'must be one quoted revision, e.g. "5"' }],
    });
  }
  return Number(revision);
}

/** @throws Problem precondition_failed when the revision is not the current one. */
export function assertRevision(expected: number | '*', current: number): void {
  if (expected === '*' || expected === current) return;
  throw new Problem('precondition_failed', `It is at revision ${current}, not ${expected}`, {
    headers: { etag: etagOf(current) },
  });
}
