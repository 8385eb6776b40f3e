import { sql } from 'kysely'
import { datasetSpec } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { resolveView } from './resolve-view.ts'
import type { ViewRow } from './tables.ts'

export const listFeatureViews = handle(contract.listFeatureViews, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<ViewRow>`
    select v.name, v.spec, v.version, v.created_at, e.spec as entity_spec
    from feature_store.view v join feature_store.entity e on e.workspace = v.workspace and e.name = v.entity
    where v.name > ${after} order by v.name limit ${limit + 1}
  `.execute(ctx.db)
  const specs = new Map<string, Awaited<ReturnType<typeof datasetSpec>>>()
  const definitionOf = async ({ name, spec, entity_spec }: ViewRow) => {
    const dataset = specs.get(spec.dataset) ?? (await datasetSpec(ctx.db, spec.dataset))
    specs.set(spec.dataset, dataset)
    return resolveView(name, spec, entity_spec, dataset).definition
  }
  const page = pageFrom(
    rows,
    limit,
    (row) => row,
    (row) => [row.name],
  )
  const items = []
  for (const row of page.items) {
    const definition = await definitionOf(row)
    items.push({ view: row.name, spec: row.spec, version: row.version, definition, createdAt: row.created_at })
  }
  return { items, nextCursor: page.nextCursor }
})
