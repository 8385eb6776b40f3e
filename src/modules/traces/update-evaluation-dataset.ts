import { sql } from 'kysely'
import { getExperiment } from '#modules/tracking/contract.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { authorOf, evaluationDatasetOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'
import { keepableTags } from './tables.ts'

export const updateEvaluationDataset = handle(contract.updateEvaluationDataset, async (ctx, input) => {
  const before = await requireEvaluationDataset(ctx.db, input.dataset, { lock: true })
  for (const experiment of input.addExperiments) await ctx.callAsSystem(getExperiment, { experiment })
  const removed = new Set(input.removeExperiments.map(Number))
  const experiments = new Set([...before.experiments, ...input.addExperiments.map(Number)])
  const kept = [...experiments].filter((experiment) => !removed.has(experiment))
  await sql`
    update traces.evaluation_dataset
    set tags = (tags || ${JSON.stringify(keepableTags(input.tags))}::jsonb) - ${input.removeTags}::text[],
      experiments = ${kept}::int[], updated_at = ${ctx.clock.iso()}, updated_by = ${authorOf(ctx)}
    where id = ${before.id}
  `.execute(ctx.db)
  const after = evaluationDatasetOf(await requireEvaluationDataset(ctx.db, input.dataset))
  ctx.entry.subject('evaluation-dataset', input.dataset)
  ctx.entry.before(evaluationDatasetOf(before))
  ctx.entry.after(after)
  return after
})
