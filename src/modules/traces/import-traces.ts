import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import type { InputOf } from '#platform/operation.ts'
import * as contract from './import-contract.ts'
import { costOf, usageOf } from './read-usage.ts'
import { keepable, keepableJson, keepableTags, openExperiment, prefixed, tracesFailure, uuidOf } from './tables.ts'

type Given = InputOf<typeof contract.importTraces>['traces'][number]

/** Who copies traces says with this tag what they looked like; a trace that has it was copied whole before. */
const copiedTag = 'pave.import.digest'

/** One that is there is brought up to date; what people said of it here in between stays. */
export const importTraces = handle(contract.importTraces, async (ctx, { experiment, traces }) => {
  const number = await openExperiment(ctx, experiment)
  const { rows } = await sql<{ id: string }>`
    insert into traces.trace as trace (workspace, experiment, id, name, state, started_ms, ended_ms, client_request,
      request_preview, response_preview, tags, metadata, input_tokens, output_tokens, total_tokens, cost, recorded)
    select ${ctx.workspace}::uuid, ${number}::int, given.*, true
    from jsonb_to_recordset(${keepableJson(traces.map(rowOf))}::jsonb) as given(id uuid, name text, state text,
      started_ms bigint, ended_ms bigint, client_request text, request_preview text, response_preview text, tags jsonb,
      metadata jsonb, input_tokens bigint, output_tokens bigint, total_tokens bigint, cost float8)
    order by given.id
    on conflict (workspace, id) do update set
      name = excluded.name, state = excluded.state, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms,
      client_request = excluded.client_request, request_preview = excluded.request_preview,
      response_preview = excluded.response_preview,
      -- What its spans told of it is not what the other server says of it.
      tags = case when trace.tags ? ${copiedTag} then trace.tags || excluded.tags else excluded.tags end,
      metadata = case when trace.tags ? ${copiedTag} then trace.metadata || excluded.metadata else excluded.metadata end,
      input_tokens = coalesce(excluded.input_tokens, trace.input_tokens),
      output_tokens = coalesce(excluded.output_tokens, trace.output_tokens),
      total_tokens = coalesce(excluded.total_tokens, trace.total_tokens),
      cost = coalesce(excluded.cost, trace.cost),
      recorded = true
      where trace.experiment = excluded.experiment
    returning id
  `.execute(ctx.db)
  const taken = new Set(rows.map(({ id }) => id))
  const elsewhere = traces.find(({ trace }) => !taken.has(uuidOf(trace)))
  if (elsewhere !== undefined) {
    throw tracesFailure('trace_elsewhere', `The trace ${elsewhere.trace} belongs to another experiment`)
  }
  const { rows: assessed } = await sql`
    insert into traces.assessment as assessment (workspace, id, trace, name, kind, value, error, source, rationale,
      metadata, span, overrides, valid, created_at, updated_at)
    select ${ctx.workspace}::uuid, given.id, given.trace, given.name, given.kind, coalesce(given.value, 'null'), given.error,
      given.source, given.rationale, given.metadata, given.span, given.overrides, given.valid, given.created_at,
      given.updated_at
    from jsonb_to_recordset(${keepableJson(traces.flatMap(assessmentRows))}::jsonb) as given(id uuid, trace uuid,
      name text, kind text, value jsonb, error jsonb, source jsonb, rationale text, metadata jsonb, span text,
      overrides uuid, valid boolean, created_at timestamptz, updated_at timestamptz)
    order by given.id
    on conflict (workspace, id) do update set name = excluded.name, value = excluded.value, error = excluded.error,
      rationale = excluded.rationale, metadata = excluded.metadata, valid = excluded.valid, updated_at = excluded.updated_at
      where assessment.trace = excluded.trace and (assessment.updated_at < excluded.updated_at
        or (assessment.updated_at = excluded.updated_at and assessment.valid <> excluded.valid))
    returning 1
  `.execute(ctx.db)
  for (const { trace } of traces.slice(0, mostSubjects)) ctx.entry.subject('trace', prefixed('tr', uuidOf(trace)))
  ctx.entry.subject('experiment', experiment)
  ctx.entry.facts({ traces: traces.length, assessments: assessed.length })
  return { traces: traces.length, assessments: assessed.length }
})

/** An entry of the ledger names no more than these; the facts have the count. */
const mostSubjects = 100

function rowOf(given: Given) {
  const { 'mlflow.traceName': name = null, ...tags } = keepableTags(given.tags)
  const tokens = usageOf(given.metadata['mlflow.trace.tokenUsage'])
  return {
    id: uuidOf(given.trace),
    name,
    state: given.state,
    started_ms: given.startedAt,
    ended_ms: given.durationMs === null ? null : given.startedAt + given.durationMs,
    client_request: given.clientRequest,
    request_preview: given.requestPreview,
    response_preview: given.responsePreview,
    tags,
    metadata: keepableTags(given.metadata),
    input_tokens: tokens?.input ?? null,
    output_tokens: tokens?.output ?? null,
    total_tokens: tokens?.total ?? null,
    cost: costOf(given.metadata['mlflow.trace.cost']),
  }
}

function assessmentRows({ trace, assessments }: Given) {
  return assessments.map(({ assessment, overrides, createdAt, updatedAt, name, ...same }) => ({
    ...same,
    id: uuidOf(assessment),
    trace: uuidOf(trace),
    name: keepable(name),
    overrides: overrides === null ? null : uuidOf(overrides),
    created_at: createdAt,
    updated_at: updatedAt,
  }))
}
