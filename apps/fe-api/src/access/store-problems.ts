import { Problem } from '@connecta/contracts';
import { IdempotencyGoneError, IdempotencyMismatchError, InUseError, NameTakenError } from '@connecta/store';

/** Turns what the store refuses by name into the problem that is answered; everything else is thrown on as it is. */
export async function withStoreProblems<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof NameTakenError) {
      throw new Problem('name_taken', `The name '${cause.taken}' is taken`, {
        faults: [{ path: '/name', message: 'is taken' }],
        cause,
      });
    }
    if (cause instanceof InUseError) throw new Problem('in_use', `There are ${cause.by} that refer to it`, { cause });
    if (cause instanceof IdempotencyMismatchError) {
      throw new Problem('idempotency_mismatch', 'The Idempotency-Key was used with another body', { cause });
    }
    if (cause instanceof IdempotencyGoneError) {
      throw new Problem('gone', 'What was made under this Idempotency-Key is deleted', { cause });
    }
    throw cause;
  }
}

/** What was made under this Idempotency-Key has a secret that nobody can show again. */
export function alreadyCreated(what: string, id: string): Problem {
  return new Problem(
    'already_created',
    `An earlier request under this Idempotency-Key made the ${what} ${id}, and only its answer showed the secret. If that ` +
      `answer was lost, revoke it and create another under a new Idempotency-Key.`,
    { extensions: { id } },
  );
}
