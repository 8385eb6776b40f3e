import { failure } from '#platform/errors.ts'
import { type Dataset, type DatasetSpec, type DatasetVersion, errors } from './contract.ts'

export const datasetsFailure = failure(errors)

export interface DatasetRow {
  name: string
  spec: DatasetSpec
  contract_digest: string
  last_version: number
  created_at: string
}

/** What `datasets.version.content` holds: the version without what its columns say. */
export type VersionContent = Omit<DatasetVersion, 'ref' | 'dataset' | 'version' | 'registeredAt'>

export interface VersionRow {
  dataset: string
  version: number
  content: VersionContent
  registered_at: string
}

export function datasetOf(row: DatasetRow): Dataset {
  return {
    dataset: row.name,
    spec: row.spec,
    contractDigest: row.contract_digest,
    latestVersion: row.last_version === 0 ? null : row.last_version,
    createdAt: row.created_at,
  }
}

export function versionOf(row: VersionRow): DatasetVersion {
  return {
    ref: `${row.dataset}@${row.version}`,
    dataset: row.dataset,
    version: row.version,
    ...row.content,
    registeredAt: row.registered_at,
  }
}
