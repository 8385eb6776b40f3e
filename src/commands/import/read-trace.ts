import { z } from 'zod'
import { readAssessment, WireAssessment } from '../../protocols/mlflow/assessments.ts'
import { readState } from '../../protocols/mlflow/trace-wire.ts'
import type { MlflowTrace } from './mlflow-source.ts'

const Labels = z.record(z.string(), z.string()).default({})

/** `1.5s`, as Protocol Buffers write a duration in JSON. */
const Milliseconds = z.string().transform((text) => Math.round(Number(text.replace(/s$/, '')) * 1000))

const Assessed = WireAssessment.extend({
  assessment_id: z.string(),
  create_time: z.iso.datetime({ offset: true }),
  last_update_time: z.iso.datetime({ offset: true }),
  valid: z.boolean().default(true),
}).transform((wire): MlflowTrace['assessments'][number] => {
  const { value = null, error, ...content } = readAssessment(wire)
  return {
    ...content,
    value,
    error: error == null ? null : { code: error.code, message: error.message ?? '', stack: error.stack ?? '' },
    rationale: content.rationale ?? null,
    metadata: content.metadata ?? {},
    span: content.span ?? null,
    overrides: content.overrides ?? null,
    assessment: wire.assessment_id,
    valid: wire.valid,
    createdAt: new Date(wire.create_time).toISOString(),
    updatedAt: new Date(wire.last_update_time).toISOString(),
  }
})

/** `TraceInfoV3` as MLflow's answers have it. */
export const WireTrace = z
  .object({
    trace_id: z.string(),
    client_request_id: z.string().nullish(),
    request_preview: z.string().nullish(),
    response_preview: z.string().nullish(),
    request_time: z.iso.datetime({ offset: true }),
    execution_duration: Milliseconds.nullish(),
    state: z.string().optional(),
    trace_metadata: Labels,
    tags: Labels,
    assessments: z.array(Assessed).default([]),
  })
  .transform(
    (wire): MlflowTrace => ({
      trace: wire.trace_id,
      startedAt: Date.parse(wire.request_time),
      durationMs: wire.execution_duration ?? null,
      state: readState(wire.state),
      clientRequest: wire.client_request_id ?? null,
      requestPreview: wire.request_preview ?? null,
      responsePreview: wire.response_preview ?? null,
      tags: wire.tags,
      metadata: wire.trace_metadata,
      assessments: wire.assessments,
    }),
  )
