import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { endpointWatermark } from './queries.ts'
import { summariseTraffic, type TrafficHour, trafficHours } from './traffic-history.ts'

const spans = { hour: 3_600_000, day: 86_400_000 }

export const predictionHistory = handle(
  contract.predictionHistory,
  async (ctx, { environment, endpoint, every, last, to }) => {
    const watermark = (await endpointWatermark(ctx.db, environment, endpoint)) ?? null
    const end = to ?? watermark
    if (end === null) return { watermark, items: [] }
    const span = spans[every]
    const until = (Math.floor(Date.parse(end) / span) + 1) * span
    const hours = await trafficHours(ctx.db, {
      environment,
      endpoint,
      from: new Date(until - last * span).toISOString(),
      to: new Date(until).toISOString(),
    })
    const parts = new Map<string, TrafficHour[]>()
    for (const hour of hours) {
      const at = new Date(Math.floor(Date.parse(hour.hour) / span) * span).toISOString()
      const key = `${at} ${hour.version} ${hour.variant}`
      const part = parts.get(key)
      if (part === undefined) parts.set(key, [hour])
      else part.push(hour)
    }
    const items = [...parts].map(([key, part]) => {
      const [at = ''] = key.split(' ')
      const { version, variant } = part[0] ?? { version: '', variant: 'primary' as const }
      return { at, version, variant, ...summariseTraffic(part) }
    })
    return { watermark, items }
  },
)
