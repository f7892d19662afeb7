import { sum } from './measure/usage-sampler.ts';
import { targets } from './summary.ts';
import type { LatencySummary, Spread, Summary, ThroughputSummary } from './summary.ts';

const stepsPerOrder = 3;
const stores: ReadonlySet<string> = new Set(['postgres', 'redis', 'blobs']);

/** The run as markdown: the two systems side by side, where the CPU and the memory go, the ratios. */
export function reportOf({ floor, connecta, ratios }: Summary): string {
  return [
    '| | orders/s | steps/s | latency p50 ms | p95 ms | p99 ms | CPU ms an order | peak PSS MB | other load |',
    '|---|---|---|---|---|---|---|---|---|',
    row('floor: bare BullMQ, bulk', floor.batch, floor.latency),
    row('Connecta, batches of 1,000', connecta.batch, connecta.latency),
    row('Connecta, one order a request', connecta.singles),
    '',
    'CPU ms an order (and peak PSS in MB) by process:',
    `- floor: ${costs(floor.batch)}`,
    `- Connecta, batches: ${costs(connecta.batch)}`,
    `- Connecta, single requests: ${costs(connecta.singles)}`,
    `- Connecta's own processes hold ${megabytes(ownPss(connecta.batch))} MB, the stores and the client the rest`,
    '',
    `Throughput, Connecta / floor: ${spread(ratios.throughput, 2)}, target at least ${targets.throughputAtLeast}`,
    `Latency p50, Connecta / floor: ${spread(ratios.latencyP50, 2)}, target at most ${targets.latencyAtMost}`,
    `Throughput with single requests / floor: ${spread(ratios.singlesThroughput, 2)}`,
    '',
  ].join('\n');
}

function row(title: string, batch: ThroughputSummary, latency?: LatencySummary): string {
  const { perSecond: rate } = batch;
  const cells = [
    title,
    spread(rate, 0),
    (rate.median * stepsPerOrder).toFixed(0),
    ...(latency ? [latency.p50, latency.p95, latency.p99].map((of) => spread(of, 1)) : ['', '', '']),
    sum(batch.cpuMsEach).toFixed(2),
    megabytes(sum(batch.peakPssBytes)),
    `${(batch.foreignShare * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** CPU milliseconds an order, and megabytes, by process. */
export function costs({ cpuMsEach, peakPssBytes }: ThroughputSummary): string {
  return Object.entries(cpuMsEach)
    .map(([group, ms]) => `${group} ${ms.toFixed(3)} (${megabytes(peakPssBytes[group] ?? 0)})`)
    .join(', ');
}

function ownPss({ peakPssBytes }: ThroughputSummary): number {
  return sum(
    Object.fromEntries(Object.entries(peakPssBytes).filter(([group]) => !stores.has(group) && group !== 'client')),
  );
}

/** Bytes as whole megabytes. */
export const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

/** A median and how far the figures lay apart. */
export function spread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
