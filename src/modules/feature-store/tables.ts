import { failure } from '#platform/errors.ts'
import { type EntitySpec, errors, type FeatureServiceSpec, type FeatureViewSpec } from './contract.ts'

export const featureStoreFailure = failure(errors)

export interface EntityRow {
  name: string
  spec: EntitySpec
  created_at: string
}

export interface ViewRow {
  name: string
  spec: FeatureViewSpec
  version: number
  created_at: string
  entity_spec: EntitySpec
}

export interface ServiceRow {
  name: string
  spec: FeatureServiceSpec
  created_at: string
}

export function entityOf(row: EntityRow) {
  return { entity: row.name, spec: row.spec, createdAt: row.created_at }
}
