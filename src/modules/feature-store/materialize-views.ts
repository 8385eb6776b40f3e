import { resolveDatasetVersion } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import * as contract from './contract.ts'
import { resolvedView, viewsOn } from './queries.ts'
import { requireCurrent } from './require-current.ts'

export const materializeViews = handle(contract.materializeViews, async (ctx, input) => {
  const { version } = await materialization(ctx.db, input)
  const job = await ctx.startJob('materialize-views', { ...input, dataset: version.ref })
  ctx.entry.subject('dataset-version', version.ref)
  ctx.entry.subject('job', job)
  return { job }
})

/** The version to read and the views to fill: all on its dataset unless named. */
export async function materialization(db: Db, { dataset, views: named }: contract.MaterializeInput) {
  const version = await resolveDatasetVersion(db, dataset)
  const names = named ?? (await viewsOn(db, version.dataset)).map(({ name }) => name)
  const views = []
  for (const name of names) {
    const view = await resolvedView(db, name)
    requireCurrent(view, version)
    views.push(view)
  }
  return { version, views }
}
