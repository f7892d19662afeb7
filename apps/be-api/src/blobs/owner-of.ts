import { Problem, type ClientId } from '@connecta/contracts';
import { ANY_CLIENT, findClientId, type ServiceAccount, type Store } from '@connecta/store';

/**
 * The client that will own what an account sends: the named one, or the only one that it may act for.
 *
 * @throws Problem bad_request, forbidden, not_found
 */
export async function ownerOf(store: Store, account: ServiceAccount, named: string | undefined): Promise<ClientId> {
  const { allowedClients } = account;
  const [only, ...more] = allowedClients;
  const name = named ?? (more.length === 0 && only !== ANY_CLIENT ? only : undefined);
  if (name === undefined) {
    throw new Problem('bad_request', 'Say which client the bytes are for', {
      faults: [{ path: 'query:client', message: 'is required for an account that may act for several clients' }],
    });
  }
  if (!allowedClients.includes(name) && !allowedClients.includes(ANY_CLIENT)) {
    throw new Problem('forbidden', `The account ${account.name} may not act for ${name}`);
  }
  const clientId = await findClientId(store, name);
  if (!clientId) throw new Problem('not_found', `There is no client ${name}`);
  return clientId;
}
