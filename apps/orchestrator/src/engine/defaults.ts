import { DEFAULT_RETRY, DEFAULT_TIMERS, type RetryPolicy, type Timers } from '@connecta/domain';

/** The timers and the retry policy of a system: steps and functions may have others. */
export interface EngineDefaults {
  timers: Timers;
  retry: RetryPolicy;
}

export const ENGINE_DEFAULTS: EngineDefaults = { timers: DEFAULT_TIMERS, retry: DEFAULT_RETRY };
