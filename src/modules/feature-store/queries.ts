import { sql } from 'kysely'
import { datasetSpec } from '#modules/datasets/queries.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { compileService } from './compile-service.ts'
import type { CompiledService, FeatureServiceSpec } from './contract.ts'
import { type ResolvedView, resolveView } from './resolve-view.ts'
import { type EntityRow, featureStoreFailure, type ServiceRow, type ViewRow } from './tables.ts'

export async function findEntity(db: Db, name: string): Promise<EntityRow | undefined> {
  const { rows } = await sql<EntityRow>`
    select name, spec, created_at from feature_store.entity where name = ${name}
  `.execute(db)
  return rows[0]
}

export async function findView(db: Db, name: string): Promise<ViewRow | undefined> {
  const { rows } = await sql<ViewRow>`
    select v.name, v.spec, v.version, v.created_at, e.spec as entity_spec
    from feature_store.view v join feature_store.entity e on e.workspace = v.workspace and e.name = v.entity
    where v.name = ${name}
  `.execute(db)
  return rows[0]
}

/** Every feature view on a dataset. */
export async function viewsOn(db: Db, dataset: string): Promise<ViewRow[]> {
  const { rows } = await sql<ViewRow>`
    select v.name, v.spec, v.version, v.created_at, e.spec as entity_spec
    from feature_store.view v join feature_store.entity e on e.workspace = v.workspace and e.name = v.entity
    where v.dataset = ${dataset} order by v.name
  `.execute(db)
  return rows
}

/** A view with what decides its values now; `feature_view_not_found` when there is none. */
export async function resolvedView(db: Db, name: string): Promise<ResolvedView> {
  const row = await findView(db, name)
  if (row === undefined) throw featureStoreFailure('feature_view_not_found', `There is no feature view ${name}`)
  return resolveView(name, row.spec, row.entity_spec, await datasetSpec(db, row.spec.dataset))
}

export async function findService(db: Db, name: string): Promise<ServiceRow | undefined> {
  const { rows } = await sql<ServiceRow>`
    select name, spec, created_at from feature_store.service where name = ${name}
  `.execute(db)
  return rows[0]
}

/** A feature service and the views that it reads, by name; `feature_service_not_found` when there is none. */
export async function resolvedService(
  db: Db,
  name: string,
): Promise<{ service: CompiledService; views: Map<string, ResolvedView> }> {
  const row = await findService(db, name)
  if (row === undefined) {
    throw featureStoreFailure('feature_service_not_found', `There is no feature service ${name}`)
  }
  const views = await viewsOf(db, row.spec)
  return { service: compileService(name, row.spec, views), views }
}

/** The views that a service reads, by name; `feature_view_not_found` when one is missing. */
export async function viewsOf(db: Db, { features }: FeatureServiceSpec): Promise<Map<string, ResolvedView>> {
  const views = new Map<string, ResolvedView>()
  for (const { view } of features) if (!views.has(view)) views.set(view, await resolvedView(db, view))
  return views
}

/** A feature service as a serving plan takes it; `feature_service_not_found` when there is none. */
export async function compiledService(db: Db, name: string): Promise<CompiledService> {
  return (await resolvedService(db, name)).service
}
