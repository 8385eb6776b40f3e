import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import { failure } from '#platform/errors.ts'
import {
  type Artifact,
  errors,
  type ParamValue,
  type PipelineSpec,
  type RunError,
  type RunState,
  type StepRun,
  type StepState,
} from './contract.ts'
import type { Recipe } from './recipe.ts'

export const pipelinesFailure = failure(errors)

export interface PipelineRow {
  name: string
  spec: PipelineSpec
  digest: string
  declared_by: Actor
  updated_at: string
}

export interface RunRow {
  id: string
  pipeline: string
  /** As it was when the run started. */
  spec: PipelineSpec
  pipeline_digest: string
  params: Record<string, ParamValue>
  reason: string
  /** Whoever it acts for. */
  actor: Actor
  job: string
  state: RunState
  error: RunError | null
  created_at: string
  started_at: string | null
  ended_at: string | null
}

export const runColumns = sql`
  id, pipeline, spec, pipeline_digest, params, reason, actor, job, state, error, created_at, started_at, ended_at
`

export interface StepRow {
  step: string
  state: StepState
  attempt: number
  /** Attempts whose end was not seen. */
  lost: number
  cache_hit: boolean | null
  cache_reason: string | null
  recipe: Recipe | null
  key: string | null
  outputs: Record<string, Artifact>
  result: unknown
  exit_code: number | null
  reason: string
  log_digest: string | null
  usage: StepRun['usage']
  started_at: string | null
  ended_at: string | null
}

export const pipelineOf = (row: PipelineRow) => ({
  pipeline: row.name,
  spec: row.spec,
  digest: row.digest,
  updatedAt: row.updated_at,
})

export const runSummaryOf = (row: RunRow) => ({
  run: row.id,
  pipeline: row.pipeline,
  params: row.params,
  reason: row.reason,
  state: row.state,
  job: row.job,
  actsFor: row.actor.id,
  pipelineDigest: row.pipeline_digest,
  error: row.error,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
})

export function stepRunOf(row: StepRow): StepRun {
  const cached = row.cache_hit === null || row.cache_reason === null
  return {
    step: row.step,
    state: row.state,
    attempt: row.attempt,
    cache: cached ? null : { hit: row.cache_hit === true, reason: row.cache_reason ?? '' },
    startedAt: row.started_at,
    endedAt: row.ended_at,
    exitCode: row.exit_code,
    reason: row.reason,
    outputs: Object.fromEntries(Object.entries(row.outputs).map(([name, { digest }]) => [name, digest])),
    result: row.result,
    logDigest: row.log_digest,
    usage: row.usage,
  }
}

/** Name of an attempt at a step in compute: the same one after a crash. */
export function attemptId(run: string, step: string, attempt: number): string {
  return `${run}-${step}-${attempt}`
}
