/** The hint for a misspelt name: the nearest known one, or all where they are few. */
export function suggestName(name: string, known: readonly string[], what: string): string {
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  if (nearest !== undefined && nearest.distance <= Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3))) {
    return `Did you mean \`${nearest.candidate}\`?`
  }
  if (known.length === 0) return `No ${what} are declared here.`
  const shown = known.slice(0, 12).map((candidate) => `\`${candidate}\``)
  return `The ${what} are ${shown.join(', ')}${known.length > shown.length ? ', …' : ''}.`
}

/** Levenshtein's distance: how many characters must be added, dropped or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, x] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, y] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (x === y ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
