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
import type { Cache } from './cache.ts';
import type { FactMemory, KeptFacts } from './kept-facts.ts';

const MAX_TASK_NAMES = 5000;

/** Answers of one kind by name, also from what is kept. A name that was asked for and does not exist stands as null. */
class Answers<Value> {
  readonly #known = new Map<string, Value | null>();
  readonly #kept: Cache<string, Value> | undefined;
  #wanted = new Set<string>();

  constructor(kept?: Cache<string, Value>) {
    this.#kept = kept;
  }

  /** `undefined`: not known yet, and wanted from now on. */
  get(name: string): Value | null | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const kept = this.#kept?.get(name);
    if (kept === undefined) this.#wanted.add(name);
    return kept;
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
 *
 * With a memory, clients, workflows and profiles are answered from it, and what is fetched goes into it: all answers are
 * of one {@link generation} then, unless a fetch shows that they are torn.
 */
export class Facts {
  readonly #store: Store;
  readonly #memory: FactMemory | undefined;
  readonly #clients: Answers<ClientFact>;
  readonly #workflows: Answers<WorkflowFact>;
  readonly #profiles: Answers<ProfileFact>;
  readonly #blobs = new Answers<BlobFact>();
  readonly #keys = new Answers<KeyFact>();
  readonly #definitions = new Answers<WorkflowDefinition>();
  readonly #plans = new Map<string, PlanId>();
  readonly #wantedPlans = new Map<string, WantedPlan>();
  #taskNames: string[] | undefined;
  #wantsTaskNames = false;
  #generation: string | null | undefined;
  #isTorn = false;
  #wantsLook = false;
  #hasLooked = false;

  constructor(store: Store, memory?: FactMemory) {
    const kept = memory?.kept;
    this.#store = store;
    this.#memory = memory;
    this.#generation = kept?.generation;
    this.#clients = new Answers(kept?.clients);
    this.#workflows = new Answers(kept?.workflows);
    this.#profiles = new Answers(kept?.profiles);
  }

  /** What an insert can have confirmed; null where that is not known: without a memory, of which each fetch is of its own time. */
  get generation(): string | null {
    return this.#generation ?? null;
  }

  /** Answers that were kept or fetched before are not of the time of the last fetch. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  /** Wants the database to be looked at, also when all is known by heart. */
  look(): void {
    this.#wantsLook = true;
  }

  /** A look is wanted and has not been had. */
  get isLookDue(): boolean {
    return this.#wantsLook && !this.#hasLooked;
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
    if (!this.isLookDue && !kinds.some((kind) => kind.wants)) return;
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
    this.#hasLooked = true;
    const kept = this.#meet(facts.generation);
    for (const client of facts.clients) {
      for (const ref of [`id ${client.id}`, `name ${client.name}`]) {
        this.#clients.tell(ref, client);
        kept?.clients.set(ref, client);
      }
    }
    for (const workflow of facts.workflows) {
      const { name, wanted } = workflow;
      const ref = wanted === null ? name : `${name}@${wanted}`;
      this.#workflows.tell(ref, workflow);
      kept?.workflows.set(ref, workflow);
    }
    for (const profile of facts.profiles) {
      const task = `${profile.workerType}/${profile.name}`;
      this.#profiles.tell(task, profile);
      kept?.profiles.set(task, profile);
    }
    for (const blob of facts.blobs) this.#blobs.tell(blob.blobId, blob);
    for (const key of facts.keys) this.#keys.tell(`${key.key} ${key.scope}`, key);
  }

  /** Where facts of this generation are kept. */
  #meet(generation: string | null): KeptFacts | undefined {
    if (!this.#memory) return undefined;
    this.#isTorn ||= this.#generation !== undefined && this.#generation !== generation;
    this.#generation = generation;
    return generation === null ? undefined : this.#memory.of(generation);
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
