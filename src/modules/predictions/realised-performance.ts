import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { realisedPerformance as measure } from './measure-performance.ts'

export const realisedPerformance = handle(contract.realisedPerformance, async (ctx, { variant, ...filter }) => ({
  items: await measure(ctx.services, ctx.db, { ...filter, variants: variant && [variant] }),
}))
