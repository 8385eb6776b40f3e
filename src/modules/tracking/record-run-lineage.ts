import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireActiveRun, requireLoggedModels, uuidOfLoggedModel } from './tables.ts'

export const recordRunLineage = handle(contract.recordRunLineage, async (ctx, { run, datasets, models }) => {
  await requireActiveRun(ctx.db, run)
  await requireLoggedModels(
    ctx.db,
    models.map((model) => model.loggedModel),
  )
  for (const { name, digest, sourceType, source, schema, profile, tags } of datasets) {
    await sql`
      insert into tracking.run_dataset (workspace, run, name, digest, source_type, source, schema, profile, tags)
      values (${ctx.workspace}, ${run}, ${name}, ${digest}, ${sourceType}, ${source}, ${schema}, ${profile}, ${JSON.stringify(tags)}::jsonb)
      on conflict (workspace, run, name, digest) do update set tags = run_dataset.tags || excluded.tags
    `.execute(ctx.db)
  }
  for (const { loggedModel, direction, step } of models) {
    await sql`
      insert into tracking.run_model (workspace, run, logged_model, direction, step)
      values (${ctx.workspace}, ${run}, ${uuidOfLoggedModel(loggedModel)}, ${direction}, ${step})
      on conflict (workspace, run, logged_model, direction) do update set step = excluded.step
    `.execute(ctx.db)
    if (direction === 'input') ctx.entry.input('logged-model', loggedModel)
    else ctx.entry.output('logged-model', loggedModel)
  }
  ctx.entry.subject('run', run)
  ctx.entry.facts({ datasets: datasets.map(({ name, digest }) => ({ name, digest })) })
  return { run }
})
