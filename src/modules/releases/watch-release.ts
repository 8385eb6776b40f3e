import { sql } from 'kysely'
import { emptyLatencyHistogram } from '#algorithms/statistics/latency-histogram.ts'
import { mergeStatistics, type Statistics, windowStatistics } from '#modules/predictions/queries.ts'
import { resolveVersion } from '#modules/registry/queries.ts'
import { systemActor } from '#platform/actor.ts'
import type { Subscriber, SubscriberContext } from '#platform/module.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { advanceRelease, publishPlan, rollbackRelease, type Verdict } from './contract.ts'
import { judge, type Observed, type Reference } from './judge-release.ts'
import { nextStage, rowsNeeded } from './strategy.ts'
import { type ReleaseRow, runningRelease } from './tables.ts'

/** The rollout controller: each batch of predictions is a reason to look at the releases of the endpoints in it. */
export const watchReleases: Subscriber = {
  name: 'watch-releases',
  operations: ['record-predictions'],
  async handle(ctx, entry) {
    for (const { id } of entry.subjects.filter((subject) => subject.kind === 'endpoint')) {
      const [environment = '', endpoint = ''] = id.split('/')
      await watch(ctx, entry.workspace, environment, endpoint)
    }
  },
}

async function watch(ctx: SubscriberContext, workspace: string, environment: string, endpoint: string): Promise<void> {
  const seen = await ctx.platform.read(workspace, async (db) => {
    const release = await runningRelease(db, environment, endpoint)
    return release && { release, ...(await assess(db, release)) }
  })
  if (seen === undefined) return
  const { release, verdicts, rows } = seen
  const failed = verdicts.filter((verdict) => verdict.verdict === 'fail')
  const actor = systemActor(workspace)
  if (failed.length > 0) {
    await ctx.platform.run(rollbackRelease, {
      actor,
      input: { environment, endpoint, release: release.id, reason: reasonOf(failed), verdicts, rows },
      idempotencyKey: `roll back ${release.id}`,
    })
  } else if (
    rows - release.step_rows >= rowsNeeded(release.strategy, { state: release.state, step: release.step }) &&
    !lastStageUnjudged(release, verdicts)
  ) {
    const from = { state: release.state, step: release.step }
    await ctx.platform.run(advanceRelease, {
      actor,
      input: { release: release.id, from, verdicts, rows },
      idempotencyKey: `advance ${release.id} from ${release.state} ${release.step}`,
    })
  }
}

/** All traffic only for what every guardrail has judged: without data a release holds. */
function lastStageUnjudged(release: ReleaseRow, verdicts: readonly Verdict[]): boolean {
  const { state, step, strategy } = release
  const last = state !== 'rolled-back' && nextStage(strategy, { state, step }).state === 'completed'
  return last && verdicts.some((verdict) => verdict.verdict === 'no-data')
}

async function assess(db: Db, release: ReleaseRow): Promise<{ verdicts: Verdict[]; rows: number }> {
  const candidate = await observe(db, release, release.version)
  const current = release.previous === null ? undefined : await observe(db, release, release.previous)
  const verdicts = judge(
    release.strategy.guardrails,
    candidate,
    await referenceOf(db, release.version),
    current,
    release.previous === null ? new Map() : await referenceOf(db, release.previous),
  )
  return { verdicts, rows: candidate.rows }
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

function reasonOf(failed: readonly Verdict[]): string {
  return failed
    .map(({ guardrail, feature, value, limit }) => {
      const what = feature === null ? guardrail : `${guardrail} of ${feature}`
      return `${what} is ${value === null ? 'unknown' : value.toFixed(3)}, the limit is ${limit}`
    })
    .join('; ')
}

/** A release whose version no node can load goes back; keys and feature definitions in the plan follow their changes. */
export const keepPlansCurrent: Subscriber = {
  name: 'keep-plans-current',
  operations: ['create-token', 'revoke-token', 'put-feature-service', 'put-feature-view'],
  async handle(ctx, entry) {
    if (entry.outcome !== 'done') return
    const environments = await ctx.platform.read(entry.workspace, async (db) => {
      const { rows } = await sql<{ environment: string }>`select environment from releases.plan`.execute(db)
      return rows.map((row) => row.environment)
    })
    for (const environment of environments) await ctx.run(environment, publishPlan, { environment })
  },
}

export const rollBackUnloadable: Subscriber = {
  name: 'roll-back-unloadable',
  operations: ['report-node-status'],
  async handle(ctx, entry) {
    const failed = failedVersions(entry.facts)
    const environment = String(entry.facts?.environment ?? '')
    if (failed.size === 0) return
    const running = await ctx.platform.read(entry.workspace, async (db) => {
      const { rows } = await sql<ReleaseRow>`
        select * from releases.release where environment = ${environment} and state in ('shadow', 'canary')
      `.execute(db)
      return rows
    })
    for (const release of running) {
      const reason = failed.get(release.version)
      if (reason === undefined) continue
      await ctx.run(release.id, rollbackRelease, {
        environment,
        endpoint: release.endpoint,
        release: release.id,
        reason: `A node could not load ${release.version}: ${reason}`.slice(0, 500),
      })
    }
  },
}

function failedVersions(facts: Record<string, unknown> | undefined): Map<string, string> {
  const failed = facts?.failed
  if (!Array.isArray(failed)) return new Map()
  return new Map(failed.map((one): [string, string] => [String(one?.version), String(one?.reason)]))
}
