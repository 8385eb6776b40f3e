import { z } from 'zod'
import {
  AssessmentId,
  createAssessment,
  deleteAssessment,
  getAssessment,
  type recordTrace,
  updateAssessment,
} from '#modules/traces/contract.ts'
import { endpoint } from './endpoint.ts'
import { invalid } from './errors.ts'
import { idOf } from './run-id.ts'
import { wireAssessment } from './trace-wire.ts'

const Fault = z.object({
  error_code: z.string().default(''),
  error_message: z.string().default(''),
  stack_trace: z.string().default(''),
})

export const WireAssessment = z.object({
  assessment_name: z.string().optional(),
  span_id: z.string().nullish(),
  source: z.object({ source_type: z.string().default(''), source_id: z.string().default('') }).optional(),
  create_time: z.iso.datetime({ offset: true }).optional(),
  feedback: z.object({ value: z.json().optional(), error: Fault.nullish() }).nullish(),
  expectation: z
    .object({ value: z.json().optional(), serialized_value: z.object({ value: z.string() }).nullish() })
    .nullish(),
  issue: z.object({ issue_name: z.string() }).nullish(),
  rationale: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).default({}),
  overrides: z.string().nullish(),
  error: Fault.nullish(),
})
type WireAssessment = z.output<typeof WireAssessment>

const sources = new Map([
  ['HUMAN', 'human'],
  ['LLM_JUDGE', 'llm_judge'],
  ['AI_JUDGE', 'llm_judge'],
  ['CODE', 'code'],
] as const)

const ById = z.object({ trace_id: z.string(), assessment_id: idOf(AssessmentId, 'Assessment') })

export const assessments = [
  endpoint(
    'POST',
    'traces/:trace_id/assessments',
    z.object({ trace_id: z.string(), assessment: WireAssessment }),
    async (call, { trace_id, assessment }) => {
      const made = await call.run(createAssessment, {
        trace: trace_id,
        ...readAssessment(assessment),
        createdAt: assessment.create_time,
      })
      return { assessment: wireAssessment(made) }
    },
  ),
  endpoint('GET', 'traces/:trace_id/assessments/:assessment_id', ById, async (call, { trace_id, assessment_id }) => ({
    assessment: wireAssessment(await call.run(getAssessment, { trace: trace_id, assessment: assessment_id })),
  })),
  endpoint(
    'PATCH',
    'traces/:trace_id/assessments/:assessment_id',
    ById.extend({ assessment: WireAssessment, update_mask: z.string() }),
    async (call, { trace_id, assessment_id, assessment, update_mask }) => {
      const paths = new Set(update_mask.split(',').map(snakeCase))
      const valued = paths.has('feedback') || paths.has('expectation')
      const { kind, value, error } = valued ? contentOf(assessment) : {}
      const updated = await call.run(updateAssessment, {
        trace: trace_id,
        assessment: assessment_id,
        ...(paths.has('assessment_name') && { name: assessment.assessment_name }),
        ...(valued && { kind, value, error }),
        ...(paths.has('rationale') && { rationale: assessment.rationale ?? '' }),
        ...(paths.has('metadata') && { metadata: assessment.metadata }),
      })
      return { assessment: wireAssessment(updated) }
    },
  ),
  endpoint('DELETE', 'traces/:trace_id/assessments/:assessment_id', ById, async (call, request) => {
    await call.run(deleteAssessment, { trace: request.trace_id, assessment: request.assessment_id })
    return {}
  }),
]

type Content = NonNullable<z.input<(typeof recordTrace)['input']>['assessments']>[number]

export function readAssessment(assessment: WireAssessment): Content {
  return {
    ...contentOf(assessment),
    name: assessment.assessment_name ?? '',
    source: {
      type: sources.get(assessment.source?.source_type as 'CODE') ?? 'unspecified',
      id: assessment.source?.source_id ?? '',
    },
    rationale: assessment.rationale ?? null,
    metadata: assessment.metadata,
    span: assessment.span_id || null,
    overrides: assessment.overrides || null,
  }
}

function contentOf({ feedback, expectation, issue, error }: WireAssessment): Pick<Content, 'kind' | 'value' | 'error'> {
  if (feedback != null) {
    const fault = feedback.error ?? error
    return {
      kind: 'feedback',
      value: feedback.value ?? null,
      error: fault == null ? null : { code: fault.error_code, message: fault.error_message, stack: fault.stack_trace },
    }
  }
  if (issue != null) return { kind: 'issue', value: issue.issue_name, error: null }
  if (expectation == null) throw invalid('An assessment has feedback, an expectation or an issue')
  const json = expectation.serialized_value?.value
  return { kind: 'expectation', value: json === undefined ? (expectation.value ?? null) : parse(json), error: null }
}

function parse(json: string): Content['value'] {
  try {
    return z.json().parse(JSON.parse(json))
  } catch {
    throw invalid('The serialized value of an expectation is no JSON')
  }
}

/** Protocol Buffers write the paths of a field mask in camel case. */
function snakeCase(path: string): string {
  return path.trim().replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
