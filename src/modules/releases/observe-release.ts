import { emptyLatencyHistogram } from '#algorithms/statistics/latency-histogram.ts'
import { mergeStatistics, type Statistics, windowStatistics } from '#modules/predictions/queries.ts'
import { resolveVersion } from '#modules/registry/queries.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { Verdict } from './contract.ts'
import { judge, type Observed, type Reference } from './judge-release.ts'
import type { ReleaseRow } from './tables.ts'

export interface Assessment {
  verdicts: Verdict[]
  candidate: Observed
  /** What the version to be replaced did in the same time; undefined for a first release. */
  current: Observed | undefined
}

/** What is known of a release by now, and what its guardrails say of it. */
export async function assess(db: Db, release: ReleaseRow): Promise<Assessment> {
  const candidate = await observe(db, release, release.version)
  const current = release.previous === null ? undefined : await observe(db, release, release.previous)
  const verdicts = judge(
    release.strategy.guardrails,
    candidate,
    await referenceOf(db, release.version),
    current,
    release.previous === null ? new Map() : await referenceOf(db, release.previous),
  )
  return { verdicts, candidate, current }
}

/** Rows that the candidate answered or shadowed since the release began. */
export async function candidateRows(db: Db, release: ReleaseRow): Promise<number> {
  return (await observe(db, release, release.version)).rows
}

/** All that a version did on the endpoint since the release began, in whatever role. */
async function observe(db: Db, release: ReleaseRow, version: string): Promise<Observed> {
  const { environment, endpoint, watermark } = release
  const items: Statistics[] = await windowStatistics(db, {
    environment,
    endpoint,
    version,
    from: watermark ?? undefined,
  })
  const [first, ...others] = items
  const sum = first && others.reduce(mergeStatistics, first)
  return {
    rows: sum?.rows ?? 0,
    errors: sum?.errors ?? 0,
    fallbacks: sum?.fallbacks ?? 0,
    latency: sum?.latency ?? emptyLatencyHistogram(),
    features: new Map(Object.entries(sum?.features ?? {}).map(([name, { counts }]) => [name, counts])),
  }
}

async function referenceOf(db: Db, ref: string): Promise<Reference> {
  const version = await resolveVersion(db, ref)
  return new Map(version.profile.map((profile) => [profile.name, profile.counts]))
}
