/** One folder whose files become orders. */
export interface InboxSettings {
  readonly name: string;
  /** Where files are dropped: an absolute path. */
  readonly path: string;
  /** Where results are left. */
  readonly outbox: string;
  /** Where files go that led to no result, each with its reason beside it. */
  readonly rejected: string;
  /** Files being worked on, with their journals; on the file system of `path`. */
  readonly working: string;
  /** Where files go whose result was delivered; without it they are removed. */
  readonly processed: string | undefined;
  /** Make missing folders at the start. Off where they lie on a share: one that is not mounted must not be filled. */
  readonly create: boolean;
  readonly client: string;
  /** What the orders run; with neither, what the client's contract says. */
  readonly workflow: string | undefined;
  readonly tasks: readonly string[] | undefined;
  /** How long a file must not have changed before it is taken. */
  readonly stableMs: number;
  readonly pollMs: number;
  readonly maxBytes: number;
  /** Files worked on at once. */
  readonly maxInFlight: number;
}
