import type { TrackingRun } from '../contract.ts'

/** A row of a table of runs. */
export interface RunLine {
  run: TrackingRun
  /** How many runs it lies within. */
  depth: number
  /** Runs directly within it that have come so far. */
  children: number
  opened: boolean
  /** It was not found itself, but one within it was. */
  context: boolean
}

/** Which run began this one, as the client says it; clients write a run's id without dashes. */
export function parentIdOf({ tags }: TrackingRun): string | undefined {
  const hex = tags['mlflow.parentRunId']?.replaceAll('-', '').toLowerCase() ?? ''
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The parents that are named and are not there. */
export function missingParents(runs: readonly TrackingRun[]): string[] {
  const there = new Set(runs.map(({ run }) => run))
  const named = runs.flatMap((run) => parentIdOf(run) ?? [])
  return [...new Set(named)].filter((run) => !there.has(run)).sort()
}

/** As they are, one line for each. */
export function flatLines(runs: readonly TrackingRun[]): RunLine[] {
  return runs.map((run) => ({ run, depth: 0, children: 0, opened: false, context: false }))
}

/**
 * Each run under the one that began it. A tree stands where the first of its runs would; what lies within a run is shown
 * when that is opened. `parents` were not found themselves.
 */
export function nestedLines(
  runs: readonly TrackingRun[],
  parents: readonly TrackingRun[],
  opened: ReadonlySet<string>,
): RunLine[] {
  const found = new Set(runs.map(({ run }) => run))
  const known = new Map([...parents, ...runs].map((run) => [run.run, run]))
  const within = new Map<string, Set<string>>()
  const roots = new Set<string>()
  for (const { run } of runs) {
    let child = run
    for (const parent of ancestorsOf(run, known)) {
      within.set(parent, (within.get(parent) ?? new Set()).add(child))
      child = parent
    }
    roots.add(child)
  }
  const lines: RunLine[] = []
  const add = (id: string, depth: number) => {
    const run = known.get(id)
    if (run === undefined) return
    const children = within.get(id) ?? new Set()
    lines.push({ run, depth, children: children.size, opened: opened.has(id), context: !found.has(id) })
    if (opened.has(id)) for (const child of children) add(child, depth + 1)
  }
  for (const root of roots) add(root, 0)
  return lines
}

/** Innermost first. A run that lies within itself lies within nothing. */
function ancestorsOf(run: string, known: ReadonlyMap<string, TrackingRun>): string[] {
  const chain = [run]
  for (;;) {
    const last = known.get(chain.at(-1) ?? '')
    const parent = last === undefined ? undefined : parentIdOf(last)
    if (parent === undefined || !known.has(parent)) return chain.slice(1)
    if (chain.includes(parent)) return []
    chain.push(parent)
  }
}
