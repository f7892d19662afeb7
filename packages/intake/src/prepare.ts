import { Problem, newId, type ClientId, type JsonValue, type OrderId } from '@connecta/contracts';
import type { ClientFact, NewOrder } from '@connecta/store';
import type { Facts } from './facts.ts';
import { checkFile, checkReferences, isTooLarge, readValues, type OrderValues } from './input.ts';
import { placeInLine } from './place-in-line.ts';
import { paramsOfOrder } from './params.ts';
import { keyOfRerun, type Planner } from './planner.ts';
import type { PlanKey, Planned } from './planning.ts';
import { cacheTtlOf, readOrderRequest } from './read-order-request.ts';
import type { IntakeRequest, OrderRequest } from './requests.ts';

/** Keeps a JSON input that is too large to travel inline as a blob of the client; what stands for it then. */
export type StoreValue = (from: { value: JsonValue; clientId: ClientId; createdBy: string }) => Promise<JsonValue>;

/** An order that may be inserted; its input must be stored as a blob before, when it is large. */
export interface PreparedOrder {
  row: NewOrder;
  largeInput: boolean;
}

/** One request on its way: open → a prepared order or a problem (→ open, when facts turn out to be of the past). */
export class Draft {
  readonly #given: IntakeRequest;
  readonly #request: OrderRequest | undefined;
  readonly #values: OrderValues | undefined;
  readonly #clientRef: string;
  #planKey: PlanKey | Problem | undefined;
  #done: PreparedOrder | Problem | undefined;
  /** The large input that was stored, and whose it is: once, however often the order is prepared. */
  #stored: { clientId: ClientId; input: JsonValue } | undefined;

  constructor(given: IntakeRequest) {
    this.#given = given;
    this.#clientRef = 'id' in given.client ? given.client.id : given.client.name;
    const read = readOrderRequest(given.order);
    if (read.ok) {
      this.#request = read.request;
      this.#values = readValues(read.request);
    } else {
      this.#done = new Problem('bad_request', 'The order is not valid', { faults: read.faults });
    }
  }

  get done(): PreparedOrder | Problem | undefined {
    return this.#done;
  }

  /** Whether facts decided how it ended. */
  get restsOnFacts(): boolean {
    return this.#request !== undefined;
  }

  /** To be prepared from other facts. */
  reopen(): void {
    if (!this.#request) return;
    this.#done = undefined;
    this.#planKey = undefined;
  }

  /** Stores an input that is too large for the order's row. */
  async storeInput(store: StoreValue): Promise<void> {
    const done = this.#done;
    if (!done || done instanceof Problem || !done.largeInput) return;
    const { input, clientId, createdBy } = done.row;
    done.row.input = await store({ value: input, clientId, createdBy });
    done.largeInput = false;
    this.#stored = { clientId, input: done.row.input };
  }

  /** Goes on as far as the facts lead; asks them for everything else that it will need. */
  settle(planner: Planner, facts: Facts, plans: Map<string, ReturnType<Planner['planOf']>>): void {
    const [request, values] = [this.#request, this.#values];
    if (this.#done || !request || !values) return;
    const client = facts.client(this.#given.client);
    this.#planKey ??= this.#given.rerun
      ? keyOfRerun(this.#given.rerun)
      : planner.keyOf(request, client ?? undefined, this.#clientRef, facts);
    const plan = this.#planKey && planFor({ planKey: this.#planKey, request }, planner, facts, plans);
    // The owner of blobs is known by then; before, this only asks for them.
    const references = checkReferences(values, client?.id ?? ('' as ClientId), facts);
    if (client === undefined) return;
    if (client === null) this.#done = unknownClient(this.#clientRef);
    else if (plan instanceof Problem) this.#done = plan;
    else if (references instanceof Problem) this.#done = references;
    else if (plan !== undefined && references !== undefined) this.#done = this.#prepare(client, plan, values);
  }

  #prepare(client: ClientFact, planned: Planned, values: OrderValues): PreparedOrder | Problem {
    const { createdBy, traceparent, parentJobId, mayNameFiles = false } = this.#given;
    const file = checkFile(values, mayNameFiles);
    if (file) return file;
    const largeInput = isTooLarge(values);
    if (largeInput instanceof Problem) return largeInput;
    const { input, context } = values;
    const { webhook, cache, strategy } = this.#request ?? {};
    const params = paramsOfOrder(planned.definition, { params: values.params, strategy });
    if (params instanceof Problem) return params;
    const concurrency = placeInLine(planned.definition, { input, params, client: client.name });
    if (concurrency instanceof Problem) return concurrency;
    const { of: rerunOf, from: rerunFrom } = this.#given.rerun ?? {};
    const cacheTtlMs = cache === undefined ? this.#given.rerun?.cacheTtlMs : (cacheTtlOf(cache) ?? undefined);
    const id = newId<OrderId>();
    const stored = this.#stored?.clientId === client.id ? this.#stored : undefined;
    return {
      row: {
        ...concurrency,
        ...{ id, clientId: client.id, planId: planned.id, input: stored?.input ?? input, params, webhook },
        ...{ createdBy, traceparent, parentJobId, rerunOf, rerunFrom, context, cacheTtlMs },
      },
      largeInput: largeInput && !stored,
    };
  }
}

/** Requests of a group that run the same are planned once. */
function planFor(
  { planKey, request }: { planKey: PlanKey | Problem; request: OrderRequest },
  planner: Planner,
  facts: Facts,
  plans: Map<string, ReturnType<Planner['planOf']>>,
): ReturnType<Planner['planOf']> {
  if (planKey instanceof Problem) return planKey;
  const { params } = request;
  const key = params && planner.dependsOnParams(planKey) ? `${planKey.key} ${JSON.stringify(params)}` : planKey.key;
  if (plans.has(key)) return plans.get(key);
  const plan = planner.planOf(planKey, facts, { params: params ?? {}, trail: [] });
  plans.set(key, plan);
  return plan;
}

function unknownClient(ref: string): Problem {
  return new Problem('invalid_input', `There is no client '${ref}'`, {
    faults: [{ path: '/client', message: `there is no client '${ref}'`, code: 'unknown_client' }],
  });
}
