import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { cacheKey, explainChange, type Recipe } from './recipe.ts'
import { pipelinesFailure } from './tables.ts'

interface CacheEntry {
  outputs: Record<string, contract.Artifact>
  result: unknown
  run: string
  step: string
}

/**
 * Begins an attempt, or ends the step at once with what an earlier run made from the same recipe. The cache is asked
 * before the first attempt only.
 */
export const startStep = handle(contract.startStep, async (ctx, input) => {
  const { run, step, attempt, recipe } = input
  const key = recipe === null ? null : cacheKey(recipe)
  const found = key === null || input.always !== null || attempt > 1 ? undefined : await findEntry(ctx, key)
  const reason = found
    ? `same code, params and inputs as run ${found.run}`
    : (input.always ?? (await explainMiss(ctx, run, step, recipe)))
  const now = ctx.clock.iso()
  // The run's row before the step's, as ending a run locks them.
  await sql`
    update pipelines.run set state = 'running', started_at = ${now} where id = ${run} and state = 'queued'
  `.execute(ctx.db)
  const { rows } = await sql<{ step: string }>`
    update pipelines.step
    set state = ${found ? 'done' : 'running'}, attempt = ${attempt}, key = ${key},
        recipe = ${recipe === null ? null : JSON.stringify(recipe)}::jsonb,
        cache_hit = coalesce(cache_hit, ${found !== undefined}), cache_reason = coalesce(cache_reason, ${reason}),
        outputs = ${JSON.stringify(found?.outputs ?? {})}::jsonb,
        result = ${found?.result === undefined ? null : JSON.stringify(found.result)}::jsonb,
        started_at = coalesce(started_at, ${now}), ended_at = ${found ? now : null}::timestamptz
    where run = ${run} and step = ${step} and attempt = ${attempt - 1} and state in ('pending', 'retrying')
    returning step
  `.execute(ctx.db)
  if (rows[0] === undefined) throw movedOn(run, step)
  ctx.entry.subject('step', `${run}/${step}`)
  ctx.entry.subject('run', run)
  for (const { kind, id } of input.inputs) ctx.entry.input(kind, id)
  ctx.entry.output('run', run)
  for (const { digest } of Object.values(found?.outputs ?? {})) ctx.entry.output('object', digest)
  ctx.entry.facts({ attempt, key, cacheHit: found !== undefined, cacheReason: reason })
  if (found === undefined) return { state: 'running' as const, outputs: {}, result: null }
  return { state: 'done' as const, outputs: found.outputs, result: found.result }
})

/** An entry whose objects are all still stored. */
async function findEntry(ctx: OperationContext, key: string): Promise<CacheEntry | undefined> {
  const { rows } = await sql<CacheEntry>`
    select outputs, result, run, step from pipelines.cache_entry where key = ${key}
  `.execute(ctx.db)
  const entry = rows[0]
  if (entry === undefined) return undefined
  const stored = await Promise.all(Object.values(entry.outputs).map(({ digest }) => ctx.services.objects.has(digest)))
  return stored.every(Boolean) ? entry : undefined
}

async function explainMiss(ctx: OperationContext, run: string, step: string, recipe: Recipe | null): Promise<string> {
  if (recipe === null) return 'what it depends on is not declared'
  const { rows } = await sql<{ recipe: Recipe; state: string }>`
    select recipe, state from pipelines.step
    where pipeline = (select pipeline from pipelines.run where id = ${run})
      and step = ${step} and run <> ${run} and recipe is not null
    order by started_at desc limit 1
  `.execute(ctx.db)
  const last = rows[0]
  if (last === undefined) return 'first run of this step'
  const change = explainChange(last.recipe, recipe)
  if (change !== '') return change
  return last.state === 'done' ? 'its earlier outputs are no longer stored' : 'its last run did not finish'
}

export function movedOn(run: string, step: string): Error {
  return pipelinesFailure('step_moved_on', `Step ${step} of run ${run} was ended or taken over meanwhile`)
}
