import { newId, type BlobId, type ClientId, type JsonValue, type ProfileId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import { openStore, type Store } from '@connecta/store';
import { createIntake, type Intake, type IntakeRequest } from '../src/index.ts';

/** A database with a client, some profiles and an intake over it. */
export interface World {
  services: TestServices;
  store: Store;
  intake: Intake;
  clientId: ClientId;
  /** The values that intake handed out to be kept as blobs. */
  storedValues: JsonValue[];
  request(order: JsonValue, more?: Partial<IntakeRequest>): IntakeRequest;
  addProfile(task: string, more?: { revision?: number; aliasOf?: string }): Promise<ProfileId>;
  addClient(name: string, workflow?: string): Promise<ClientId>;
  addBlob(owner: ClientId): Promise<BlobId>;
  addWorkflow(name: string, version: number, definition: object): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(name: string): Promise<World> {
  const services = await testServices();
  const store = openStore({ databaseUrl: await services.databaseUrl(name), applicationName: name });
  const storedValues: JsonValue[] = [];
  const intake = createIntake({
    store,
    storeValue: async ({ value }) => {
      storedValues.push(value);
      return { blobId: newId(), mediaType: 'application/json', size: 1, sha256: 'a'.repeat(64) };
    },
  });
  const addClient = async (clientName: string, workflow: string | null = null): Promise<ClientId> => {
    const id = newId<ClientId>();
    await store.prisma.client.create({ data: { id, name: clientName, workflow } });
    return id;
  };
  const clientId = await addClient('default');
  return {
    ...{ services, store, intake, clientId, storedValues },
    request: (order, more = {}) => ({
      order,
      client: { name: 'default' },
      createdBy: 'test',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ...more,
    }),
    addProfile: async (task, { revision = 1, aliasOf } = {}) => {
      const [workerType = '', profileName = ''] = task.split('/');
      const id = newId<ProfileId>();
      await store.prisma.profile.create({
        data: { workerType, id, name: profileName, function: 'math.add', revision, aliasOf: aliasOf ?? null },
      });
      return id;
    },
    addClient,
    addBlob: async (owner) => {
      const id = newId<BlobId>();
      await store.prisma.blob.create({
        data: {
          ...{ id, ownerClientId: owner, state: 'ready', mediaType: 'image/png', createdBy: 'test' },
          ...{ size: 3n, sha256: 'b'.repeat(64) },
        },
      });
      return id;
    },
    addWorkflow: async (workflow, version, definition) => {
      await store.prisma.workflow.upsert({
        where: { name: workflow },
        create: { name: workflow, latestVersion: version },
        update: { latestVersion: version },
      });
      await store.prisma.workflowVersion.create({
        data: { id: newId(), name: workflow, version, hash: `${workflow}${version}`, definition },
      });
    },
    close: async () => {
      await store.close();
      await services.close();
    },
  };
}
