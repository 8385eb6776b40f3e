import { z } from 'zod'
import {
  createEvaluationDataset,
  deleteEvaluationDataset,
  deleteEvaluationRecords,
  type EvaluationDataset,
  EvaluationDatasetId,
  type EvaluationRecord,
  getEvaluationDataset,
  listEvaluationRecords,
  putEvaluationRecords,
  searchEvaluationDatasets,
  updateEvaluationDataset,
} from '#modules/traces/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { type Call, cursorOf, endpoint, Integer, nextPage, omitEmpty, pageSize, Texts } from './endpoint.ts'
import { invalid } from './errors.ts'
import { idOf } from './run-id.ts'

const ById = z.object({ dataset_id: idOf(EvaluationDatasetId, 'Dataset') })
const ByIds = ById.extend({ experiment_ids: z.array(z.string()).default([]) })

/** JSON within JSON. */
const Json = z.string().transform((text): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('A field that holds JSON cannot be read')
  }
})

const TextOf = z
  .union([z.string(), z.json()])
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
const Tags = z.record(z.string(), TextOf.nullable())
const WireTags = Json.pipe(Tags.nullable()).optional()

const WireRecords = Json.pipe(
  z.array(
    z.object({
      inputs: z.record(z.string(), z.json()).default({}),
      outputs: z.json().optional(),
      expectations: z.record(z.string(), z.json()).nullish(),
      tags: Tags.nullish(),
      source: z.json().optional(),
    }),
  ),
)

const Search = z.object({
  experiment_ids: Texts,
  filter_string: z.string().optional(),
  max_results: Integer.optional(),
  order_by: Texts,
  page_token: z.string().optional(),
})

export const evaluationDatasets = [
  endpoint(
    'POST',
    'datasets/create',
    z.object({ name: z.string(), tags: WireTags, experiment_ids: Texts }),
    async (call, { name, tags, experiment_ids }) => ({
      dataset: wire(
        await call.run(createEvaluationDataset, { name, tags: present(tags), experiments: experiment_ids }),
      ),
    }),
  ),
  endpoint('POST', 'datasets/search', Search, search),
  endpoint('GET', 'datasets/search', Search, search),
  endpoint('GET', 'datasets/:dataset_id', ById, async (call, { dataset_id }) => ({
    dataset: wire(await call.run(getEvaluationDataset, { dataset: dataset_id })),
  })),
  // To delete what is gone already is no error there.
  endpoint('DELETE', 'datasets/:dataset_id', ById, async (call, { dataset_id }) => {
    await call.run(deleteEvaluationDataset, { dataset: dataset_id }).catch((error: unknown) => {
      if (!(error instanceof PaveError && error.code === 'evaluation_dataset_not_found')) throw error
    })
    return {}
  }),
  endpoint(
    'PATCH',
    'datasets/:dataset_id/tags',
    ById.extend({ tags: WireTags }),
    async (call, { dataset_id, tags }) => ({
      dataset: wire(await call.run(updateEvaluationDataset, { dataset: dataset_id, tags: present(tags) })),
    }),
  ),
  endpoint('DELETE', 'datasets/:dataset_id/tags/:key', ById.extend({ key: z.string() }), async (call, request) => {
    await call.run(updateEvaluationDataset, { dataset: request.dataset_id, removeTags: [request.key] })
    return {}
  }),
  endpoint('GET', 'datasets/:dataset_id/experiment-ids', ById, async (call, { dataset_id }) => ({
    experiment_ids: (await call.run(getEvaluationDataset, { dataset: dataset_id })).experiments,
  })),
  endpoint('POST', 'datasets/:dataset_id/add-experiments', ByIds, async (call, { dataset_id, experiment_ids }) => ({
    dataset: wire(await call.run(updateEvaluationDataset, { dataset: dataset_id, addExperiments: experiment_ids })),
  })),
  endpoint('POST', 'datasets/:dataset_id/remove-experiments', ByIds, async (call, { dataset_id, experiment_ids }) => ({
    dataset: wire(await call.run(updateEvaluationDataset, { dataset: dataset_id, removeExperiments: experiment_ids })),
  })),
  endpoint('POST', 'datasets/:dataset_id/records', ById.extend({ records: WireRecords }), async (call, request) => {
    const { inserted, updated } = await call.run(putEvaluationRecords, {
      dataset: request.dataset_id,
      records: request.records.map(({ inputs, outputs, expectations, tags, source }) => ({
        inputs,
        outputs: outputs ?? null,
        expectations: expectations ?? {},
        tags: present(tags),
        source: source ?? null,
      })),
    })
    return { inserted_count: inserted, updated_count: updated }
  }),
  endpoint(
    'GET',
    'datasets/:dataset_id/records',
    ById.extend({ max_results: Integer.optional(), page_token: z.string().optional() }),
    async (call, { dataset_id, max_results, page_token }) => {
      const { items, nextCursor } = await call.run(listEvaluationRecords, {
        dataset: dataset_id,
        limit: pageSize(max_results, 1000, 1000),
        ...cursorOf(page_token),
      })
      return { records: JSON.stringify(items.map((record) => wireRecord(dataset_id, record))), ...nextPage(nextCursor) }
    },
  ),
  endpoint(
    'DELETE',
    'datasets/:dataset_id/records',
    ById.extend({ dataset_record_ids: z.array(z.string()).default([]) }),
    async (call, { dataset_id, dataset_record_ids }) => {
      const { deleted } = await call.run(deleteEvaluationRecords, { dataset: dataset_id, records: dataset_record_ids })
      return { deleted_count: deleted }
    },
  ),
]

async function search(call: Call, request: z.output<typeof Search>) {
  const { items, nextCursor } = await call.run(searchEvaluationDatasets, {
    ...(request.experiment_ids.length > 0 && { experiments: request.experiment_ids }),
    filter: request.filter_string,
    orderBy: request.order_by,
    limit: pageSize(request.max_results, 1000, 1000),
    ...cursorOf(request.page_token),
  })
  return omitEmpty({ datasets: items.map(wire), ...nextPage(nextCursor) })
}

function present(tags: Record<string, string | null> | null | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags ?? {}).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  )
}

function wire(dataset: EvaluationDataset) {
  const author = dataset.tags['mlflow.user']
  return {
    dataset_id: dataset.dataset,
    name: dataset.name,
    tags: JSON.stringify(dataset.tags),
    ...(dataset.schema !== null && { schema: JSON.stringify({ ...dataset.schema, version: '1.0' }) }),
    ...(dataset.records > 0 && { profile: JSON.stringify({ num_records: dataset.records }) }),
    digest: dataset.digest,
    created_time: Date.parse(dataset.createdAt),
    last_update_time: Date.parse(dataset.updatedAt),
    ...(author !== undefined && { created_by: author, last_updated_by: author }),
    experiment_ids: dataset.experiments,
  }
}

function wireRecord(dataset: string, record: EvaluationRecord) {
  const { source } = record
  const fields = new Map(Object.entries(Object(source)))
  const data = new Map(Object.entries(Object(fields.get('source_data'))))
  const sourceId = data.get('trace_id') ?? data.get('source_id')
  const author = record.tags['mlflow.user']
  return {
    dataset_record_id: record.record,
    dataset_id: dataset,
    inputs: record.inputs,
    ...(record.outputs !== null && { outputs: record.outputs }),
    expectations: record.expectations,
    tags: record.tags,
    ...(source !== null && { source, source_type: fields.get('source_type') }),
    ...(typeof sourceId === 'string' && { source_id: sourceId }),
    created_time: Date.parse(record.createdAt),
    last_update_time: Date.parse(record.updatedAt),
    ...(author !== undefined && { created_by: author, last_updated_by: author }),
  }
}
