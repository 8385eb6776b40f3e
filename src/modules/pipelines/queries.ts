import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { followSteps } from './follow-steps.ts'
import { type PipelineRow, pipelinesFailure, type RunRow, runColumns, runSummaryOf, type StepRow } from './tables.ts'

export async function findPipeline(db: Db, name: string): Promise<PipelineRow | undefined> {
  const { rows } = await sql<PipelineRow>`
    select name, spec, digest, declared_by, updated_at from pipelines.pipeline where name = ${name}
  `.execute(db)
  return rows[0]
}

/** `pipeline_not_found` when there is none. */
export async function requirePipeline(db: Db, name: string): Promise<PipelineRow> {
  const row = await findPipeline(db, name)
  if (row === undefined) throw pipelinesFailure('pipeline_not_found', `There is no pipeline ${name}`)
  return row
}

/** `run_not_found` when there is none. */
export async function requireRun(db: Db, id: string): Promise<RunRow> {
  const { rows } = await sql<RunRow>`
    select ${runColumns}
    from pipelines.run where id = ${id}
  `.execute(db)
  if (rows[0] === undefined) throw pipelinesFailure('run_not_found', `There is no run ${id}`)
  return rows[0]
}

/** In the order in which the pipeline declares them. */
export async function stepsOf(db: Db, run: string): Promise<StepRow[]> {
  const { rows } = await sql<StepRow>`
    select step, state, attempt, lost, cache_hit, cache_reason, recipe, key, outputs, result, exit_code, reason,
           log_digest, usage, started_at, ended_at
    from pipelines.step where run = ${run} order by position
  `.execute(db)
  return rows
}

export async function runWithSteps(db: Db, id: string) {
  const run = await requireRun(db, id)
  return { ...runSummaryOf(run), steps: followSteps(run.spec, await stepsOf(db, id)) }
}
