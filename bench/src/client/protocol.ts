/** Which client a client process runs, and where its system is. */
export type ClientPlan =
  | { readonly kind: 'floor'; readonly redisUrl: string }
  | { readonly kind: 'connecta'; readonly url: string; readonly key: string; readonly tasks: readonly string[] }
  | {
      readonly kind: 'lists';
      readonly url: string;
      readonly key: string;
      readonly task: string;
      /** Of each list, and how many of them are under way at once where not as many as without a word. */
      readonly items: number;
      readonly max?: number;
    };

/** What the measuring process asks of a client process. */
export type ClientCommand =
  | { readonly do: 'open'; readonly plan: ClientPlan }
  | { readonly do: 'batch'; readonly orders: number }
  | { readonly do: 'singles'; readonly orders: number; readonly inFlight: number }
  | { readonly do: 'latency'; readonly orders: number }
  | { readonly do: 'verify' }
  | { readonly do: 'close' };

/** What each command is answered with. */
export interface ClientAnswers {
  readonly open: null;
  readonly batch: { readonly ms: number; readonly submitMs: number };
  readonly singles: { readonly ms: number; readonly submitMs: number };
  readonly latency: readonly number[];
  /** How many orders were checked: those of the throughput run before. */
  readonly verify: number;
  readonly close: null;
}

/** One answer on the channel between the two processes; commands are answered in their order. */
export type ClientReply = { readonly answer: ClientAnswers[keyof ClientAnswers] } | { readonly error: string };
