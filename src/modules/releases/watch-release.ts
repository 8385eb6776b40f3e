import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import { restoreOperation } from '#platform/ledger/begin-epoch.ts'
import type { Subscriber, SubscriberContext } from '#platform/module.ts'
import { advanceRelease, publishPlan, rollbackRelease, type Verdict } from './contract.ts'
import { assess } from './observe-release.ts'
import { rowsNeeded, unjudged } from './strategy.ts'
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
  const { release, verdicts, candidate } = seen
  const { rows } = candidate
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
    unjudged(release, verdicts).length === 0
  ) {
    const from = { state: release.state, step: release.step }
    await ctx.platform.run(advanceRelease, {
      actor,
      input: { release: release.id, from, verdicts, rows },
      idempotencyKey: `advance ${release.id} from ${release.state} ${release.step}`,
    })
  }
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
  operations: ['create-token', 'revoke-token', 'put-feature-service', 'put-feature-view', restoreOperation],
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
