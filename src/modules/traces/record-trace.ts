import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { insertAssessment } from './insert-assessment.ts'
import { costOf, usageOf } from './read-usage.ts'
import {
  describeTrace,
  keepable,
  keepableTags,
  openExperiment,
  prefixed,
  requireTrace,
  tracesFailure,
  uuidOf,
} from './tables.ts'

/** Sent when a trace has ended; its spans may have come before or come later. Sent twice, the later one counts. */
export const recordTrace = handle(contract.recordTrace, async (ctx, input) => {
  const { experiment, trace, startedAt, durationMs, metadata } = input
  const number = await openExperiment(ctx, experiment)
  const { 'mlflow.traceName': name = null, ...tags } = keepableTags(input.tags)
  const tokens = usageOf(metadata['mlflow.trace.tokenUsage'])
  const text = (one: string | null) => (one === null ? null : keepable(one))
  const { rows } = await sql<{ experiment: number; fresh: boolean }>`
    insert into traces.trace as trace (workspace, id, experiment, name, state, started_ms, ended_ms, client_request,
      request_preview, response_preview, tags, metadata, input_tokens, output_tokens, total_tokens, cost, recorded)
    values (${ctx.workspace}, ${uuidOf(trace)}, ${number}, ${name}, ${input.state}, ${startedAt},
      ${durationMs === null ? null : startedAt + durationMs}, ${text(input.clientRequest)},
      ${text(input.requestPreview)}, ${text(input.responsePreview)}, ${JSON.stringify(tags)}::jsonb,
      ${JSON.stringify(keepableTags(metadata))}::jsonb, ${tokens?.input ?? null}, ${tokens?.output ?? null},
      ${tokens?.total ?? null}, ${costOf(metadata['mlflow.trace.cost'])}, true)
    on conflict (workspace, id) do update set
      name = coalesce(excluded.name, trace.name),
      state = excluded.state,
      started_ms = excluded.started_ms,
      ended_ms = coalesce(excluded.ended_ms, trace.ended_ms),
      client_request = coalesce(excluded.client_request, trace.client_request),
      request_preview = coalesce(excluded.request_preview, trace.request_preview),
      response_preview = coalesce(excluded.response_preview, trace.response_preview),
      tags = trace.tags || excluded.tags,
      metadata = trace.metadata || excluded.metadata,
      input_tokens = coalesce(excluded.input_tokens, trace.input_tokens),
      output_tokens = coalesce(excluded.output_tokens, trace.output_tokens),
      total_tokens = coalesce(excluded.total_tokens, trace.total_tokens),
      cost = coalesce(excluded.cost, trace.cost),
      recorded = true
    returning experiment, xmax = 0 as fresh
  `.execute(ctx.db)
  if (rows[0]?.experiment !== number) {
    throw tracesFailure('trace_elsewhere', `The trace ${trace} belongs to experiment ${rows[0]?.experiment}`)
  }
  const { assessments: before } = await describeTrace(ctx.db, await requireTrace(ctx.db, trace))
  // A retry brings them again, without an id to tell them by.
  if (before.length === 0) for (const one of input.assessments) await insertAssessment(ctx, trace, one)
  ctx.entry.subject('trace', prefixed('tr', uuidOf(trace)))
  ctx.entry.facts({ state: input.state })
  return describeTrace(ctx.db, await requireTrace(ctx.db, trace))
})
