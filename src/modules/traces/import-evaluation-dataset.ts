import { sql } from 'kysely'
import { getExperiment } from '#modules/tracking/contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { handle } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import type { DatasetSchema } from './contract.ts'
import { authorOf, evaluationDatasetOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'
import * as contract from './import-contract.ts'
import { extendSchema } from './put-evaluation-records.ts'
import { keepable, keepableJson, keepableTags, uuidOf } from './tables.ts'

/** One that is there takes what is newer, record by record; its own time never goes back. */
export const importEvaluationDataset = handle(contract.importEvaluationDataset, async (ctx, input) => {
  const { dataset, name, experiments, createdAt, updatedAt, records } = input
  for (const experiment of experiments) await ctx.callAsSystem(getExperiment, { experiment })
  const id = uuidOf(dataset)
  const author = authorOf(ctx)
  const { rows } = await sql<{ schema: DatasetSchema | null }>`
    insert into traces.evaluation_dataset as dataset
      (workspace, id, name, tags, experiments, schema, created_at, updated_at, created_by, updated_by)
    values (${ctx.workspace}, ${id}, ${keepable(name)}, ${JSON.stringify(keepableTags(input.tags))}::jsonb,
      ${[...new Set(experiments.map(Number))]}::int[], null, ${createdAt}, ${updatedAt}, ${author}, ${author})
    on conflict (workspace, id) do update set
      tags = dataset.tags || excluded.tags,
      experiments = array(select distinct unnest(dataset.experiments || excluded.experiments) order by 1),
      updated_at = greatest(dataset.updated_at, excluded.updated_at)
    returning schema
  `.execute(ctx.db)
  const given = records.map(({ record, inputs, createdAt: created_at, updatedAt: updated_at, ...same }, index) => {
    const inputs_digest = digestOf(canonicalJson(inputs))
    return { ...same, inputs_digest, id: uuidOf(record), position: index + 1, inputs, created_at, updated_at }
  })
  // The dataset is locked by its change: nobody else counts positions meanwhile.
  await sql`
    insert into traces.evaluation_record as record (workspace, dataset, created_by, updated_by, inputs_digest, id,
      position, inputs, outputs, expectations, tags, source, created_at, updated_at)
    select ${ctx.workspace}::uuid, ${id}::uuid, ${author}::uuid, ${author}::uuid, given.inputs_digest, given.id,
      given.position + (select coalesce(max(position), 0) from traces.evaluation_record where dataset = ${id}),
      given.inputs, coalesce(given.outputs, 'null'), given.expectations, given.tags, coalesce(given.source, 'null'),
      given.created_at, given.updated_at
    from jsonb_to_recordset(${keepableJson(given)}::jsonb) as given(inputs_digest text, id uuid, position int,
      inputs jsonb, outputs jsonb, expectations jsonb, tags jsonb, source jsonb, created_at timestamptz,
      updated_at timestamptz)
    on conflict (workspace, dataset, inputs_digest) do update set outputs = excluded.outputs,
      expectations = excluded.expectations, tags = excluded.tags, source = excluded.source,
      updated_at = excluded.updated_at
      where record.updated_at < excluded.updated_at
  `.execute(ctx.db)
  if (records.length > 0) {
    const schema = extendSchema(rows[0]?.schema ?? null, records)
    await sql`update traces.evaluation_dataset set schema = ${JSON.stringify(schema)}::jsonb where id = ${id}`.execute(
      ctx.db,
    )
  }
  const described = evaluationDatasetOf(await requireEvaluationDataset(ctx.db, dataset))
  ctx.entry.subject('evaluation-dataset', dataset)
  ctx.entry.facts({ records: records.length })
  return described
})
