import { latencyQuantile } from '#algorithms/statistics/latency-histogram.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { endpointWatermark, windowStatistics } from './queries.ts'

export const predictionStatistics = handle(contract.predictionStatistics, async (ctx, filter) => {
  const items = await windowStatistics(ctx.db, filter)
  const watermark = await endpointWatermark(ctx.db, filter.environment, filter.endpoint)
  return {
    watermark: watermark ?? null,
    items: items.map(({ latency, ...item }) => ({
      ...item,
      latencyMs: { p50: latencyQuantile(latency, 0.5), p99: latencyQuantile(latency, 0.99), max: latency.max },
    })),
  }
})
