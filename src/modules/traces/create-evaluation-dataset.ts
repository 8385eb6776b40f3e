import { sql } from 'kysely'
import { getExperiment } from '#modules/tracking/contract.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { authorOf, evaluationDatasetOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'
import { keepable, keepableTags, prefixed } from './tables.ts'

/** Names may repeat, as they may in MLflow. */
export const createEvaluationDataset = handle(contract.createEvaluationDataset, async (ctx, input) => {
  for (const experiment of input.experiments) await ctx.callAsSystem(getExperiment, { experiment })
  const id = ctx.ids.next()
  const now = ctx.clock.iso()
  await sql`
    insert into traces.evaluation_dataset
      (workspace, id, name, tags, experiments, schema, created_at, updated_at, created_by, updated_by)
    values (${ctx.workspace}, ${id}, ${keepable(input.name)}, ${JSON.stringify(keepableTags(input.tags))}::jsonb,
      ${[...new Set(input.experiments.map(Number))]}::int[], null, ${now}, ${now}, ${authorOf(ctx)}, ${authorOf(ctx)})
  `.execute(ctx.db)
  const dataset = evaluationDatasetOf(await requireEvaluationDataset(ctx.db, prefixed('d', id)))
  ctx.entry.subject('evaluation-dataset', dataset.dataset)
  ctx.entry.after(dataset)
  return dataset
})
