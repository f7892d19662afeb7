import type { PlanId, WorkflowDefinition, WorkflowVersionId } from '@connecta/contracts';
import {
  findOrCreatePlans,
  listTaskNames,
  readDefinitions,
  readIntakeFacts,
  type BlobFact,
  type ClientFact,
  type KeyFact,
  type ProfileFact,
  type Store,
  type WantedPlan,
  type WorkflowFact,
} from '@connecta/store';

const MAX_TASK_NAMES = 5000;

/** Answers of one kind by name. A name that was asked for and does not exist is kept as null. */
class Answers<Value> {
  readonly #known = new Map<string, Value | null>();
  #wanted = new Set<string>();

  /** `undefined`: not known yet, and wanted from now on. */
  get(name: string): Value | null | undefined {
    const value = this.#known.get(name);
    if (value === undefined) this.#wanted.add(name);
    return value;
  }

  get wants(): boolean {
    return this.#wanted.size > 0;
  }

  /** What to ask for now; counts as not existing until it is told. */
  take(): string[] {
    const names = [...this.#wanted];
    this.#wanted = new Set();
    for (const name of names) this.#known.set(name, null);
    return names;
  }

  tell(name: string, value: Value): void {
    this.#known.set(name, value);
  }
}

/**
 * What the database says about a group of requests. Every look-up answers at once: a value, null for "does not exist",
 * or undefined for "not known yet"; whoever meets an undefined tries again after {@link load}, which fetches everything
 * that was asked for in one round trip.
 */
export class Facts {
  readonly #store: Store;
  readonly #clients = new Answers<ClientFact>();
  readonly #workflows = new Answers<WorkflowFact>();
  readonly #profiles = new Answers<ProfileFact>();
  readonly #blobs = new Answers<BlobFact>();
  readonly #keys = new Answers<KeyFact>();
  readonly #definitions = new Answers<WorkflowDefinition>();
  readonly #plans = new Map<string, PlanId>();
  readonly #wantedPlans = new Map<string, WantedPlan>();
  #taskNames: string[] | undefined;
  #wantsTaskNames = false;

  constructor(store: Store) {
    this.#store = store;
  }

  client(ref: { id: string } | { name: string }): ClientFact | null | undefined {
    return this.#clients.get('id' in ref ? `id ${ref.id}` : `name ${ref.name}`);
  }

  /** `name` or `name@version`. */
  workflow(ref: string): WorkflowFact | null | undefined {
    return this.#workflows.get(ref);
  }

  profile(task: string): ProfileFact | null | undefined {
    return this.#profiles.get(task);
  }

  blob(id: string): BlobFact | null | undefined {
    return this.#blobs.get(id);
  }

  key(scope: string, key: string): KeyFact | null | undefined {
    return this.#keys.get(`${key} ${scope}`);
  }

  definition(id: WorkflowVersionId): WorkflowDefinition | null | undefined {
    return this.#definitions.get(id);
  }

  /** Made when it does not exist. */
  plan(hash: string, make: () => WantedPlan): PlanId | undefined {
    const id = this.#plans.get(hash);
    if (id === undefined && !this.#wantedPlans.has(hash)) this.#wantedPlans.set(hash, make());
    return id;
  }

  taskNames(): string[] | undefined {
    if (!this.#taskNames) this.#wantsTaskNames = true;
    return this.#taskNames;
  }

  /** Fetches what was asked for since the last time. */
  async load(): Promise<void> {
    await Promise.all([this.#loadBasics(), this.#loadDefinitions(), this.#loadPlans(), this.#loadTaskNames()]);
  }

  async #loadBasics(): Promise<void> {
    const kinds = [this.#clients, this.#workflows, this.#profiles, this.#blobs, this.#keys];
    if (!kinds.some((kind) => kind.wants)) return;
    const clients = this.#clients.take();
    const facts = await readIntakeFacts(this.#store, {
      clientIds: clients.filter((ref) => ref.startsWith('id ')).map((ref) => ref.slice(3)),
      clientNames: clients.filter((ref) => ref.startsWith('name ')).map((ref) => ref.slice(5)),
      workflows: this.#workflows.take().map((ref) => {
        const [name = '', version] = ref.split('@');
        return { name, version: version === undefined ? null : Number(version) };
      }),
      profiles: this.#profiles.take().map((task) => {
        const [workerType = '', name = ''] = task.split('/');
        return { workerType, name };
      }),
      blobIds: this.#blobs.take(),
      keys: this.#keys.take().map((ref) => {
        const space = ref.indexOf(' ');
        return { key: ref.slice(0, space), scope: ref.slice(space + 1) };
      }),
    });
    for (const client of facts.clients) {
      this.#clients.tell(`id ${client.id}`, client);
      this.#clients.tell(`name ${client.name}`, client);
    }
    for (const workflow of facts.workflows) {
      const { name, wanted } = workflow;
      this.#workflows.tell(wanted === null ? name : `${name}@${wanted}`, workflow);
    }
    for (const profile of facts.profiles) this.#profiles.tell(`${profile.workerType}/${profile.name}`, profile);
    for (const blob of facts.blobs) this.#blobs.tell(blob.blobId, blob);
    for (const key of facts.keys) this.#keys.tell(`${key.key} ${key.scope}`, key);
  }

  async #loadDefinitions(): Promise<void> {
    if (!this.#definitions.wants) return;
    const ids = this.#definitions.take() as WorkflowVersionId[];
    for (const [id, definition] of await readDefinitions(this.#store, ids)) this.#definitions.tell(id, definition);
  }

  async #loadPlans(): Promise<void> {
    if (this.#wantedPlans.size === 0) return;
    const wanted = [...this.#wantedPlans.values()];
    this.#wantedPlans.clear();
    for (const [hash, id] of await findOrCreatePlans(this.#store, wanted)) this.#plans.set(hash, id);
  }

  async #loadTaskNames(): Promise<void> {
    if (!this.#wantsTaskNames || this.#taskNames) return;
    this.#taskNames = await listTaskNames(this.#store, MAX_TASK_NAMES);
  }
}
