import { UUID, V7Generator } from 'uuidv7';

declare const brand: unique symbol;
/** A UUIDv7 (RFC 9562) that names one kind of thing; the brand keeps an order's id from being passed as a job's. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type OrderId = Id<'order'>;
export type JobId = Id<'job'>;
export type BlobId = Id<'blob'>;
export type ClientId = Id<'client'>;
export type ProfileId = Id<'profile'>;
export type PlanId = Id<'plan'>;
export type WorkflowVersionId = Id<'workflow-version'>;
export type ScheduleId = Id<'schedule'>;
export type WorkerInstanceId = Id<'worker-instance'>;

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Draws random numbers by the thousand: a draw for every second id, as the library does, costs 2 µs an id. */
class DrawnAhead {
  readonly #numbers = new Uint32Array(1024);
  #used = this.#numbers.length;

  nextUint32(): number {
    if (this.#used === this.#numbers.length) {
      crypto.getRandomValues(this.#numbers);
      this.#used = 0;
    }
    return this.#numbers[this.#used++] as number;
  }
}

const generator = new V7Generator(new DrawnAhead());

/** A new id; ids made by one process sort by the time they were made. */
export function newId<T extends Id<string>>(): T {
  return generator.generate().toString() as T;
}

/** True when the text is a lower-case UUID of any version: what the API accepts as an id. */
export function isId(text: unknown): text is Id<string> {
  return typeof text === 'string' && UUID_TEXT.test(text);
}

/** The 22-character base64url form of an id, for places where bytes count (notifications). */
export function shortId(id: Id<string>): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The inverse of {@link shortId}. */
export function longId<T extends Id<string>>(short: string): T {
  return UUID.ofInner(new Uint8Array(Buffer.from(short, 'base64url'))).toString() as T;
}
