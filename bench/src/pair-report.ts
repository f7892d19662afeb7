import { sum } from './measure/usage-sampler.ts';
import type { PairSummary } from './pairs.ts';
import { costs, megabytes, spread } from './report.ts';
import type { ThroughputSummary } from './summary.ts';

/** How a measurement is told: what is counted, what the two sides are, and how far apart they may lie. */
export interface PairTitles {
  readonly unit: 'item' | 'order';
  readonly small: string;
  readonly large: string;
  readonly cpuAtMost: number;
  readonly throughputAtLeast?: number;
}

/** Measurements as markdown: both sides of each, where their CPU goes, the ratios. */
export function pairReportOf(
  summary: Readonly<Record<string, PairSummary>>,
  titles: Readonly<Record<string, PairTitles>>,
): string {
  return Object.entries(titles)
    .flatMap(([name, title]) => {
      const measured = summary[name];
      return measured ? [tableOf(measured, title)] : [];
    })
    .join('\n');
}

function tableOf({ small, large, ratios }: PairSummary, titles: PairTitles): string {
  const { unit, cpuAtMost, throughputAtLeast } = titles;
  const target = throughputAtLeast === undefined ? '' : `, target at least ${throughputAtLeast}`;
  return [
    `| | ${unit}s/s | CPU ms an ${unit} | peak PSS MB | other load |`,
    '|---|---|---|---|---|',
    row(titles.small, small),
    row(titles.large, large),
    '',
    `CPU ms an ${unit} (and peak PSS in MB) by process:`,
    `- ${titles.small}: ${costs(small)}`,
    `- ${titles.large}: ${costs(large)}`,
    '',
    `CPU an ${unit}, ${titles.large} / ${titles.small}: ${spread(ratios.cpu, 2)}, target at most ${cpuAtMost}`,
    `Throughput, ${titles.large} / ${titles.small}: ${spread(ratios.throughput, 2)}${target}`,
    '',
  ].join('\n');
}

function row(title: string, run: ThroughputSummary): string {
  const cells = [
    title,
    spread(run.perSecond, 0),
    sum(run.cpuMsEach).toFixed(3),
    megabytes(sum(run.peakPssBytes)),
    `${(run.foreignShare * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}
