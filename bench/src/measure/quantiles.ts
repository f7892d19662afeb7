/** The value below which a share of the figures lies, between its two neighbours where it falls between them. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return below + (above - below) * (at - Math.floor(at));
}

/** The middle one of a few figures. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}
