import { startServer, type Closers, type Logger } from '@connecta/runtime';
import { openBeApi } from '../be-api/client.ts';
import { Presence } from '../be-api/presence.ts';
import { profileCopy, ProfileTeller } from '../be-api/profile-teller.ts';
import { compileCatalogue, type Catalogue } from '../function/catalogue.ts';
import { findMisfits } from '../profiles/misfits.ts';
import { ProfileService } from '../profiles/profile-service.ts';
import { openProfileStore, type ProfileStore } from '../profiles/profile-store.ts';
import { listAllProfiles } from '../profiles/read-profiles.ts';
import { createSamples } from '../profiles/samples.ts';
import { openSecretVault, type SecretVault } from '../profiles/secret-vault.ts';
import { createWorkerApp } from '../worker-api/worker-app.ts';
import type { WorkerApiConfig } from './config.ts';
import { commonRegistration, declarationsOf, instanceName, type WorkerType } from './worker-type.ts';

/** How soon a type asks again for an alias whose name is still a profile's. */
const ALIAS_RETRY_MS = 15_000;

export interface WorkerApiOptions {
  workerType: WorkerType;
  config: WorkerApiConfig;
  log: Logger;
  closers: Closers;
  /** Once aborted, `/ready` answers 503. */
  stopping?: AbortSignal;
}

/** A running API of a worker type. */
export interface WorkerApi {
  readonly url: string;
  readonly instance: string;
  /** Resolves when be-api knows the type. */
  readonly registered: Promise<void>;
}

/**
 * Starts a worker type's API: makes the sample profiles, serves, and registers at be-api for as long as it takes.
 * Setups can be read and changed while be-api is away; it is told afterwards.
 *
 * @throws Error when the database does not answer or the port is taken.
 */
export async function startWorkerApi(options: WorkerApiOptions): Promise<WorkerApi> {
  const { workerType, config, log, closers } = options;
  const { type } = workerType;
  const catalogue = compileCatalogue(workerType.functions);
  const vault = openSecretVault({ key: config.profileEncryptionKey, formerKeys: config.formerEncryptionKeys });
  const store = openProfileStore({
    databaseUrl: config.databaseUrl,
    applicationName: `${type}-api`,
    onError: (err) => log.warn({ err }, 'a connection to the profile database broke'),
  });
  closers.add('profile database', () => store.close());
  const service = new ProfileService({ store, catalogue, vault });
  await fillProfiles({ workerType, store, service, log });
  await tellMisfits({ store, catalogue, vault, log });
  const beApi = openBeApi({ url: config.beApiUrl, key: config.serviceAccountKey });
  const teller = new ProfileTeller({ type, beApi, log });
  closers.add('telling profiles', () => teller.close());
  let isRegistered = false;
  const app = createWorkerApp({
    type,
    isRegistered: () => isRegistered,
    store,
    service,
    catalogue,
    vault,
    gatewayKey: config.gatewayKey,
    onChange: (profile) => teller.tell(profileCopy(profile, catalogue)),
    log,
    responseValidation: config.responseValidation,
    ...(options.stopping === undefined ? {} : { stopping: options.stopping }),
  });
  const server = closers.use('http', await startServer(app, { port: config.port, host: config.host }));

  const instance = instanceName('api');
  let aliasRetry: NodeJS.Timeout | undefined;
  const presence = new Presence({
    beApi,
    registration: async () => ({
      ...commonRegistration(workerType),
      role: 'api',
      instance,
      slots: 0,
      apiUrl: config.publicUrl ?? server.url,
      profiles: (await listAllProfiles(store)).map((profile) => profileCopy(profile, catalogue)),
      ...declarationsOf(workerType),
    }),
    heartbeat: () => ({ freeSlots: 0, held: [], draining: false }),
    onRegistered: async ({ aliases }) => {
      isRegistered = true;
      const taken = aliases.filter(({ state }) => state === 'name_taken');
      if (taken.length === 0) return;
      log.info({ taken }, 'aliases wait for their names: a profile of that name goes before them');
      clearTimeout(aliasRetry);
      aliasRetry = setTimeout(() => presence.registerAgain(), ALIAS_RETRY_MS).unref();
    },
    log,
  });
  closers.add('presence', () => presence.leave().finally(() => clearTimeout(aliasRetry)));
  presence.start();
  return { url: server.url, instance, registered: presence.present };
}

/** Makes the sample profiles of a type at its first start. */
async function fillProfiles(options: {
  workerType: WorkerType;
  store: ProfileStore;
  service: ProfileService;
  log: Logger;
}): Promise<void> {
  const created = await createSamples(options.store, options.service, options.workerType.samples ?? []);
  if (created.length > 0) options.log.info({ created }, 'sample profiles were created');
}

/** A new version of a function may ask for other settings: whoever operates the type has to hear of it. */
async function tellMisfits(options: {
  store: ProfileStore;
  catalogue: Catalogue;
  vault: SecretVault;
  log: Logger;
}): Promise<void> {
  const profiles = (await listAllProfiles(options.store)).filter(({ deletedAt }) => deletedAt === null);
  for (const misfit of findMisfits({ ...options, profiles })) {
    const { profileId, name, revision, errors } = misfit;
    options.log.warn(
      { profileId, profile: name, function: misfit.function, revision, errors },
      'a profile does not fit its function',
    );
  }
}
