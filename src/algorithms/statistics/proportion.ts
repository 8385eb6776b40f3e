/**
 * The Wilson score interval of a proportion: stays inside [0, 1] and holds its coverage for few trials and shares near
 * 0 or 1, where p ± z·SE does not. Null without trials.
 *
 * @param z two-sided normal quantile; 1.96 gives 95 %
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  z = 1.959963984540054,
): { low: number; high: number } | null {
  if (trials === 0) return null
  const share = successes / trials
  const squared = z ** 2 / trials
  const centre = (share + squared / 2) / (1 + squared)
  const half = (z * Math.sqrt((share * (1 - share)) / trials + squared / (4 * trials))) / (1 + squared)
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}
