import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import {
  deleteTraces,
  getTrace,
  linkTraces,
  readTraces,
  recordTrace,
  searchTraces,
  updateTrace,
} from '#modules/traces/contract.ts'
import { readAssessment, WireAssessment } from './assessments.ts'
import {
  type Call,
  cursorOf,
  endpoint,
  Integer,
  KeyValues,
  maxResults,
  nextPage,
  omitEmpty,
  pageSize,
  Texts,
} from './endpoint.ts'
import { MlflowError, notFound } from './errors.ts'
import { RunId } from './run-id.ts'
import { readState, wireOldTrace, wireSpan, wireTrace } from './trace-wire.ts'

const Labels = z.record(z.string(), z.string()).default({})

/** `1.5s`, as Protocol Buffers write a duration in JSON. */
const Milliseconds = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,9})?s$/)
  .transform((text) => Math.round(Number(text.slice(0, -1)) * 1000))

const Location = z.object({ mlflow_experiment: z.object({ experiment_id: z.string() }) })

const TraceInfo = z.object({
  trace_id: z.string(),
  client_request_id: z.string().nullish(),
  trace_location: Location,
  request_preview: z.string().nullish(),
  response_preview: z.string().nullish(),
  request_time: z.iso.datetime({ offset: true }),
  execution_duration: Milliseconds.nullish(),
  state: z.string().optional(),
  trace_metadata: Labels,
  tags: Labels,
  assessments: z.array(WireAssessment).default([]),
})

const ById = z.object({ trace_id: z.string() })
const Search = z.object({
  filter: z.string().optional(),
  max_results: maxResults(500),
  order_by: Texts,
  page_token: z.string().optional(),
})
const Deletion = z.object({
  experiment_id: z.string(),
  max_timestamp_millis: Integer.optional(),
  max_traces: Integer.optional(),
  request_ids: z.array(z.string()).default([]),
})

/** Some of them are of both versions of the API: clients of each know them where they are. */
const ofBoth = [
  endpoint('POST', 'traces/delete-traces', Deletion, async (call, request) => {
    const { deleted } = await call.run(deleteTraces, {
      experiment: request.experiment_id,
      traces: request.request_ids,
      until: request.max_timestamp_millis,
      ...(request.max_traces !== undefined && { limit: Math.min(request.max_traces, 10_000) }),
    })
    return { traces_deleted: deleted }
  }),
  endpoint(
    'PATCH',
    'traces/:trace_id/tags',
    ById.extend({ key: z.string(), value: z.string().default('') }),
    async (call, { trace_id, key, value }) => {
      await call.run(updateTrace, { trace: trace_id, tags: { [key]: value } })
      return {}
    },
  ),
  endpoint('DELETE', 'traces/:trace_id/tags', ById.extend({ key: z.string() }), async (call, { trace_id, key }) => {
    const { tags } = await call.run(getTrace, { trace: trace_id })
    if (tags[key] === undefined) throw notFound(`No trace tag with key '${key.slice(0, 250)}'`)
    await call.run(updateTrace, { trace: trace_id, removeTags: [key] })
    return {}
  }),
  endpoint(
    'POST',
    'traces/link-to-run',
    z.object({ trace_ids: z.array(z.string()), run_id: RunId }),
    async (call, { trace_ids, run_id }) => {
      await call.run(linkTraces, { run: run_id, traces: trace_ids })
      return {}
    },
  ),
  endpoint(
    'POST',
    'traces/link-prompts',
    ById.extend({ prompt_versions: z.array(z.object({ name: z.string(), version: z.string() })).max(100) }),
    async (call, { trace_id, prompt_versions }) => {
      const { tags } = await call.run(getTrace, { trace: trace_id })
      const linked = new Map(
        [...linkedPrompts(tags['mlflow.linkedPrompts']), ...prompt_versions].map((one) => [
          `${one.name}/${one.version}`,
          { name: one.name, version: one.version },
        ]),
      )
      await call.run(updateTrace, {
        trace: trace_id,
        tags: { 'mlflow.linkedPrompts': JSON.stringify([...linked.values()]) },
      })
      return {}
    },
  ),
]

export const traces = [
  ...ofBoth,
  endpoint(
    'POST',
    'traces',
    z.object({ trace: z.object({ trace_info: TraceInfo }) }),
    async (call, { trace: { trace_info: info } }) => {
      const trace = await call.run(recordTrace, {
        experiment: info.trace_location.mlflow_experiment.experiment_id,
        trace: info.trace_id,
        startedAt: Date.parse(info.request_time),
        durationMs: info.execution_duration ?? null,
        state: readState(info.state),
        clientRequest: info.client_request_id ?? null,
        requestPreview: info.request_preview?.slice(0, 10_000) ?? null,
        responsePreview: info.response_preview?.slice(0, 10_000) ?? null,
        tags: info.tags,
        metadata: info.trace_metadata,
        assessments: info.assessments.map(readAssessment),
      })
      return { trace: { trace_info: wireTrace(trace) } }
    },
  ),
  endpoint(
    'POST',
    'traces/search',
    Search.extend({ locations: z.array(Location).default([]) }),
    async (call, { locations, ...request }) => {
      const experiments = locations.map((one) => one.mlflow_experiment.experiment_id)
      const { items, nextCursor } = await search(call, experiments, request)
      return omitEmpty({ traces: items.map(wireTrace), ...nextPage(nextCursor) })
    },
  ),
  endpoint('GET', 'traces/get', ById.extend({ allow_partial: z.string().optional() }), async (call, request) => ({
    trace: await wholeTrace(call, request.trace_id, request.allow_partial === 'true'),
  })),
  endpoint(
    'GET',
    'traces/batchGet',
    z.object({ trace_ids: Texts, experiment_ids: Texts.optional() }),
    async (call, request) => omitEmpty({ traces: await readWhole(call, request.trace_ids, request.experiment_ids) }),
  ),
  endpoint(
    'POST',
    'traces/batchGetInfos',
    z.object({ trace_ids: Texts, experiment_ids: Texts.optional() }),
    async (call, { trace_ids, experiment_ids }) => {
      const experiments = experiment_ids?.length ? experiment_ids : undefined
      const { traces: found } = await call.run(readTraces, { traces: trace_ids, experiments, spans: false })
      return omitEmpty({ trace_infos: found.map(wireTrace) })
    },
  ),
  endpoint('GET', 'traces/:trace_id', ById, async (call, { trace_id }) => ({
    trace: { trace_info: wireTrace(await call.run(getTrace, { trace: trace_id })) },
  })),
]

const OldLabels = { request_metadata: KeyValues, tags: KeyValues }

/** As clients before MLflow 3 speak of traces. */
export const oldTraces = [
  ...ofBoth,
  endpoint(
    'POST',
    'traces',
    z.object({ experiment_id: z.string(), timestamp_ms: Integer, ...OldLabels }),
    async (call, request) => {
      const trace = await call.run(recordTrace, {
        experiment: request.experiment_id,
        trace: `tr-${call.platform.ids.next().replaceAll('-', '')}`,
        startedAt: request.timestamp_ms,
        state: 'in_progress',
        tags: request.tags,
        metadata: request.request_metadata,
      })
      return { trace_info: wireOldTrace(trace) }
    },
  ),
  endpoint(
    'PATCH',
    'traces/:trace_id',
    ById.extend({ timestamp_ms: Integer, status: z.string().optional(), ...OldLabels }),
    async (call, request) => {
      const { experiment, startedAt } = await call.run(getTrace, { trace: request.trace_id })
      const trace = await call.run(recordTrace, {
        experiment,
        trace: request.trace_id,
        startedAt,
        durationMs: Math.max(0, request.timestamp_ms - startedAt),
        state: readState(request.status),
        tags: request.tags,
        metadata: request.request_metadata,
      })
      return { trace_info: wireOldTrace(trace) }
    },
  ),
  endpoint('GET', 'traces/:trace_id/info', ById, async (call, { trace_id }) => ({
    trace_info: wireOldTrace(await call.run(getTrace, { trace: trace_id })),
  })),
  endpoint('GET', 'traces', Search.extend({ experiment_ids: Texts }), async (call, { experiment_ids, ...request }) => {
    const { items, nextCursor } = await search(call, experiment_ids, request)
    return omitEmpty({ traces: items.map(wireOldTrace), ...nextPage(nextCursor) })
  }),
]

function search(call: Call, experiments: string[], request: z.output<typeof Search>) {
  return call.run(searchTraces, {
    experiments,
    filter: request.filter,
    orderBy: request.order_by,
    limit: pageSize(request.max_results, 100, 500),
    ...cursorOf(request.page_token),
  })
}

async function readWhole(call: Call, ids: string[], experiments: string[] | undefined) {
  const { traces: found } = await call.run(readTraces, {
    traces: ids,
    experiments: experiments?.length ? experiments : undefined,
  })
  return found.map((trace) => ({
    trace_info: wireTrace(trace),
    spans: trace.content.map((span) => wireSpan(trace.trace, span)),
  }))
}

const waits = [100, 400, 1000, 1500]

/** A client may ask for what it has not sent all of yet: it says how many spans there will be, and they are waited for. */
async function wholeTrace(call: Call, id: string, partly: boolean) {
  for (const wait of [...waits, undefined]) {
    const expected = spanCount((await call.run(getTrace, { trace: id })).metadata['mlflow.trace.sizeStats'])
    const [trace] = await readWhole(call, [id], undefined)
    if (trace !== undefined && (partly || trace.spans.length >= Math.max(1, expected))) return trace
    if (wait !== undefined) await sleep(wait)
  }
  throw new MlflowError(
    'RESOURCE_DOES_NOT_EXIST',
    `Trace with ID ${id} is not fully exported yet, please try again later.`,
  )
}

function spanCount(stats: string | undefined): number {
  const count = Reflect.get(Object(parse(stats ?? '')), 'num_spans')
  return typeof count === 'number' ? count : 0
}

function linkedPrompts(tag: string | undefined): { name: string; version: string }[] {
  const parsed = z.array(z.object({ name: z.string(), version: z.string() })).safeParse(parse(tag ?? ''))
  return parsed.success ? parsed.data : []
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
