import { sql } from 'kysely'
import { canonicalJson } from '#platform/canonical-json.ts'
import { handle } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import type { InputOf } from '#platform/operation.ts'
import type { DatasetSchema } from './contract.ts'
import * as contract from './contract.ts'
import { authorOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'
import { keepableJson } from './tables.ts'

type Given = InputOf<typeof contract.putEvaluationRecords>['records'][number]
type Described = Pick<Given, 'inputs' | 'outputs' | 'expectations'>

export const putEvaluationRecords = handle(contract.putEvaluationRecords, async (ctx, { dataset, records }) => {
  const { id, schema } = await requireEvaluationDataset(ctx.db, dataset, { lock: true })
  const byInputs = new Map<string, Given>()
  for (const record of records) {
    const digest = digestOf(canonicalJson(record.inputs))
    const earlier = byInputs.get(digest)
    byInputs.set(digest, earlier === undefined ? record : mergeRecords(earlier, record))
  }
  const given = [...byInputs]
  const of = (read: (record: Given) => unknown) => given.map(([, record]) => keepableJson(read(record)))
  // The dataset is locked: nobody else adds to it meanwhile.
  const { rows: counted } = await sql<{ last: number }>`
    select coalesce(max(position), 0) as last from traces.evaluation_record where dataset = ${id}
  `.execute(ctx.db)
  const last = counted[0]?.last ?? 0
  const now = ctx.clock.iso()
  const author = authorOf(ctx)
  const { rows } = await sql<{ fresh: boolean }>`
    insert into traces.evaluation_record as record (workspace, dataset, inputs_digest, id, position, inputs, outputs, expectations,
      tags, source, created_at, updated_at, created_by, updated_by)
    select ${ctx.workspace}::uuid, ${id}::uuid, given.*, ${now}::timestamptz, ${now}::timestamptz,
      ${author}::uuid, ${author}::uuid
    from unnest(
      ${given.map(([digest]) => digest)}::text[], ${given.map(() => ctx.ids.next())}::uuid[],
      ${given.map((_, index) => index + 1 + last)}::int[],
      ${of((record) => record.inputs)}::jsonb[], ${of((record) => record.outputs)}::jsonb[],
      ${of((record) => record.expectations)}::jsonb[], ${of((record) => record.tags)}::jsonb[],
      ${of((record) => record.source)}::jsonb[]
    ) as given
    on conflict (workspace, dataset, inputs_digest) do update set
      outputs = case when excluded.outputs = 'null' then record.outputs else excluded.outputs end,
      expectations = record.expectations || excluded.expectations,
      tags = record.tags || excluded.tags,
      source = case when record.source = 'null' then excluded.source else record.source end,
      updated_at = excluded.updated_at, updated_by = excluded.updated_by
    returning xmax = 0 as fresh
  `.execute(ctx.db)
  await sql`
    update traces.evaluation_dataset set schema = ${JSON.stringify(extendSchema(schema, records))}::jsonb,
      updated_at = ${now}, updated_by = ${author} where id = ${id}
  `.execute(ctx.db)
  const inserted = rows.filter((row) => row.fresh).length
  ctx.entry.subject('evaluation-dataset', dataset)
  ctx.entry.facts({ inserted, updated: records.length - inserted })
  return { inserted, updated: records.length - inserted }
})

function mergeRecords(earlier: Given, later: Given): Given {
  return {
    inputs: earlier.inputs,
    outputs: later.outputs ?? earlier.outputs,
    expectations: { ...earlier.expectations, ...later.expectations },
    tags: { ...earlier.tags, ...later.tags },
    source: earlier.source ?? later.source,
  }
}

export function extendSchema(schema: DatasetSchema | null, records: readonly Described[]): DatasetSchema {
  const inputs = new Map(Object.entries(schema?.inputs ?? {}))
  const expectations = new Map(Object.entries(schema?.expectations ?? {}))
  const outputs = new Map(typeof schema?.outputs === 'string' ? [] : Object.entries(schema?.outputs ?? {}))
  let plainOutputs = typeof schema?.outputs === 'string' ? schema.outputs : undefined
  const note = (types: Map<string, string>, fields: object) => {
    for (const [key, value] of Object.entries(fields)) if (!types.has(key)) types.set(key, typeOf(value))
  }
  for (const record of records) {
    note(inputs, record.inputs)
    note(expectations, record.expectations)
    if (typeOf(record.outputs) === 'object') note(outputs, Object(record.outputs))
    else if (record.outputs !== null) plainOutputs ??= typeOf(record.outputs)
  }
  return {
    inputs: Object.fromEntries(inputs),
    outputs: outputs.size === 0 && plainOutputs !== undefined ? plainOutputs : Object.fromEntries(outputs),
    expectations: Object.fromEntries(expectations),
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float'
  return typeof value
}
