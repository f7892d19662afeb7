import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Every so often the event loop's lag is looked at. prom-client's own 10 ms wakes an idle process 100 times a second. */
const EVENT_LOOP_PRECISION_MS = 100;

/** One process's metrics: a registry of its own, so that two apps in one test never collide. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #httpSeconds: Histogram<'method' | 'route' | 'status'>;
  /** Children by `method route status`: looking labels up in prom-client costs more than observing. */
  readonly #httpChildren = new Map<string, { observe(seconds: number): void }>();

  /** `process: true` adds Node's default metrics (memory, event loop, GC). */
  constructor(options: { name: string; process?: boolean }) {
    this.#registry.setDefaultLabels({ app: options.name });
    if (options.process) {
      collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    }
    this.#httpSeconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer, by route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    });
  }

  /** Records one HTTP answer; `route` is the document's path template, never the path itself. */
  observeHttp(answer: { method: string; route: string; status: number; seconds: number }): void {
    const key = `${answer.method} ${answer.route} ${answer.status}`;
    let child = this.#httpChildren.get(key);
    if (!child) {
      child = this.#httpSeconds.labels(answer.method, answer.route, String(answer.status));
      this.#httpChildren.set(key, child);
    }
    child.observe(answer.seconds);
  }

  counter<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  /** `collect` is called at each scrape and sets the gauge. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    options: { labelNames?: Label[]; collect?: (gauge: Gauge<Label>) => void | Promise<void> } = {},
  ): Gauge<Label> {
    const { collect } = options;
    return new Gauge({
      name,
      help,
      labelNames: options.labelNames ?? [],
      registers: [this.#registry],
      ...(collect
        ? {
            collect(this: Gauge<Label>) {
              return collect(this);
            },
          }
        : {}),
    });
  }

  histogram<Label extends string = never>(
    name: string,
    help: string,
    options: { labelNames?: Label[]; buckets: number[] },
  ): Histogram<Label> {
    return new Histogram({
      name,
      help,
      labelNames: options.labelNames ?? [],
      buckets: options.buckets,
      registers: [this.#registry],
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The Prometheus text exposition. */
  expose(): Promise<string> {
    return this.#registry.metrics();
  }
}
