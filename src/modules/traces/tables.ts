import { type RawBuilder, sql } from 'kysely'
import { getExperiment, errors as trackingErrors } from '#modules/tracking/contract.ts'
import type { OperationContext } from '#platform/context.ts'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type Assessment, errors, type Trace, type TraceState } from './contract.ts'

export const tracesFailure = failure(errors)
const trackingFailure = failure(trackingErrors)

export interface TraceRow {
  id: string
  experiment: number
  name: string | null
  state: TraceState
  started_ms: number
  ended_ms: number | null
  client_request: string | null
  request_preview: string | null
  response_preview: string | null
  tags: Record<string, string>
  metadata: Record<string, string>
  input_tokens: number | null
  output_tokens: number | null
  total_tokens: number | null
  cost: number | null
  spans: number
}

/** Of `traces.trace trace`. */
export const traceColumns: RawBuilder<unknown> = sql`
  trace.id, trace.experiment, trace.name, trace.state, trace.started_ms, trace.ended_ms, trace.client_request,
  trace.request_preview, trace.response_preview, trace.tags, trace.metadata,
  trace.input_tokens, trace.output_tokens, trace.total_tokens, trace.cost,
  (select coalesce(sum(chunk.spans), 0) from traces.span_chunk chunk
   where chunk.workspace = trace.workspace and chunk.trace = trace.id) as spans`

interface AssessmentRow extends Omit<Assessment, 'assessment' | 'trace' | 'overrides' | 'createdAt' | 'updatedAt'> {
  id: string
  trace: string
  overrides: string | null
  created_at: string
  updated_at: string
}

const assessmentColumns: RawBuilder<unknown> = sql`
  id, trace, name, kind, value, error, source, rationale, metadata, span, overrides, valid, created_at, updated_at`

/** How ids are written: a letter for the kind, and a uuid's digits. */
export const prefixed = (prefix: string, uuid: string): string => `${prefix}-${uuid.replaceAll('-', '')}`

export function uuidOf(id: string): string {
  const hex = id.slice(id.lastIndexOf('-') + 1)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** PostgreSQL keeps no NUL, and JSON in it no half of a surrogate pair. */
export const keepable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

/** JSON for a column of PostgreSQL. */
export function keepableJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' ? keepable(one) : one))
}

export function keepableTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [keepable(key), keepable(value)]))
}

/** The number of an experiment that takes traces. */
export async function openExperiment(ctx: OperationContext, experiment: string): Promise<number> {
  const { state, name } = await ctx.callAsSystem(getExperiment, { experiment })
  if (state === 'active') return Number(experiment)
  throw trackingFailure('experiment_deleted', `The experiment ${experiment} (${name}) is deleted`)
}

export async function requireTrace(db: Db, trace: string): Promise<TraceRow> {
  const [row] = await findTraces(db, [trace])
  if (row === undefined) throw tracesFailure('trace_not_found', `There is no trace ${trace}`)
  return row
}

/** Those that exist, in the order that they are named. */
export async function findTraces(db: Db, traces: readonly string[]): Promise<TraceRow[]> {
  const ids = traces.map(uuidOf)
  const { rows } = await sql<TraceRow>`
    select ${traceColumns} from traces.trace trace where trace.id = any(${ids}::uuid[])
  `.execute(db)
  const found = new Map(rows.map((row) => [row.id, row]))
  return [...new Set(ids)].flatMap((id) => found.get(id) ?? [])
}

export async function describeTraces(db: Db, rows: readonly TraceRow[]): Promise<Trace[]> {
  const assessments = await sql<AssessmentRow>`
    select ${assessmentColumns} from traces.assessment
    where trace = any(${rows.map((row) => row.id)}::uuid[]) order by created_at, id
  `.execute(db)
  const assessmentsOf = Map.groupBy(assessments.rows, (row) => row.trace)
  return rows.map((row) => ({
    trace: prefixed('tr', row.id),
    experiment: String(row.experiment),
    name: row.name,
    state: row.state,
    startedAt: row.started_ms,
    durationMs: row.ended_ms === null ? null : row.ended_ms - row.started_ms,
    clientRequest: row.client_request,
    requestPreview: row.request_preview,
    responsePreview: row.response_preview,
    tags: row.tags,
    metadata: row.metadata,
    tokens:
      row.total_tokens === null
        ? null
        : { input: row.input_tokens ?? 0, output: row.output_tokens ?? 0, total: row.total_tokens },
    cost: row.cost,
    spans: Number(row.spans),
    assessments: (assessmentsOf.get(row.id) ?? []).map(assessmentOf),
  }))
}

export async function describeTrace(db: Db, row: TraceRow): Promise<Trace> {
  const [trace] = await describeTraces(db, [row])
  if (trace === undefined) throw new Error('each trace is described')
  return trace
}

function assessmentOf(row: AssessmentRow): Assessment {
  const { id, created_at, updated_at, ...same } = row
  return {
    ...same,
    assessment: prefixed('a', id),
    trace: prefixed('tr', row.trace),
    overrides: row.overrides === null ? null : prefixed('a', row.overrides),
    createdAt: created_at,
    updatedAt: updated_at,
  }
}

export async function findAssessment(
  db: Db,
  trace: string,
  assessment: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<Assessment> {
  const { rows } = await sql<AssessmentRow>`
    select ${assessmentColumns} from traces.assessment
    where id = ${uuidOf(assessment)} and trace = ${uuidOf(trace)} ${lock ? sql`for no key update` : sql``}
  `.execute(db)
  if (rows[0] !== undefined) return assessmentOf(rows[0])
  throw tracesFailure('assessment_not_found', `The trace ${trace} has no assessment ${assessment}`)
}
