import { type EntityValue, entityKey } from '#algorithms/windowed-aggregation/online-key.ts'
import { readFeatures } from '#algorithms/windowed-aggregation/read-features.ts'
import { newestTile } from '#algorithms/windowed-aggregation/state.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { onlineView } from './online-view.ts'
import { resolvedView } from './queries.ts'
import { featureStoreFailure } from './tables.ts'

export const lookUpEntity = handle(contract.lookUpEntity, async (ctx, { view, entity, at }) => {
  const resolved = await resolvedView(ctx.db, view)
  const { namespace, plan } = onlineView(ctx.workspace, resolved)
  const key = entityKey(resolved.joinKeys.map((joinKey) => keyValue(joinKey, entity)))
  const [bytes] = await ctx.services.online.getMany([{ namespace, key }])
  const asked = at === undefined ? ctx.clock.now() : Date.parse(at)
  const values = readFeatures(bytes, plan, asked)
  const newest = bytes === undefined ? undefined : newestTile(bytes, plan)
  return {
    view,
    at: new Date(asked).toISOString(),
    newestEvent: newest === undefined ? null : new Date(newest).toISOString(),
    features: resolved.aggregations.map(({ name }, index) => ({ name, value: values[index] ?? null })),
  }
})

function keyValue(
  { name, type }: { name: string; type: 'string' | 'int' | 'bool' },
  entity: Readonly<Record<string, string | number | boolean>>,
): EntityValue {
  const value = entity[name]
  const wanted =
    type === 'int' ? Number.isSafeInteger(value) : typeof value === (type === 'bool' ? 'boolean' : 'string')
  if (value !== undefined && wanted) return value
  throw featureStoreFailure('request_invalid', `The join key ${name} must be of type ${type}`, {
    problems: [{ pointer: `/entity/${name}`, message: `must be of type ${type}` }],
  })
}
