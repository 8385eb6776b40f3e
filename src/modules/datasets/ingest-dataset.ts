import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { datasetSpec } from './queries.ts'
import { datasetsFailure } from './tables.ts'

export const ingestDataset = handle(contract.ingestDataset, async (ctx, input) => {
  await datasetSpec(ctx.db, input.dataset)
  requireRange(input)
  const job = await ctx.startJob('ingest-dataset', input)
  ctx.entry.subject('dataset', input.dataset)
  ctx.entry.subject('job', job)
  ctx.entry.facts({ from: input.from ?? null, to: input.to ?? null })
  return { job }
})

/** @throws `range_invalid` */
export function requireRange({ from, to }: { from?: string | undefined; to?: string | undefined }): void {
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    throw datasetsFailure('range_invalid', `There is nothing from ${from} until ${to}`)
  }
}
