import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { type CompiledContract, checkNamed, compileContract } from './compile-contract.ts'
import type { DatasetSpec, DatasetVersion } from './contract.ts'
import { type DatasetRow, datasetsFailure, type VersionRow, versionOf } from './tables.ts'

export { type CompiledContract, checkNamed, compileContract }

export async function findDataset(db: Db, name: string): Promise<DatasetRow | undefined> {
  const { rows } = await sql<DatasetRow>`
    select name, spec, contract_digest, last_version, created_at from datasets.dataset where name = ${name}
  `.execute(db)
  return rows[0]
}

/** The declaration of a dataset; `dataset_not_found` when there is none. */
export async function datasetSpec(db: Db, name: string): Promise<DatasetSpec> {
  const dataset = await findDataset(db, name)
  if (dataset === undefined) throw datasetsFailure('dataset_not_found', `There is no dataset ${name}`)
  return dataset.spec
}

/** A version by number or as `latest`; `dataset_version_not_found` when there is none. */
export async function datasetVersion(db: Db, dataset: string, version: string): Promise<DatasetVersion> {
  const number = version === 'latest' ? null : Number(version)
  const { rows } = await sql<VersionRow>`
    select dataset, version, content, registered_at from datasets.version
    where dataset = ${dataset} and (${number}::int is null or version = ${number})
    order by version desc limit 1
  `.execute(db)
  const row = rows[0]
  if (row === undefined) {
    throw datasetsFailure('dataset_version_not_found', `There is no dataset version ${dataset}@${version}`)
  }
  return versionOf(row)
}

/** The version that was made from this source, contract and range, if one was. */
export async function findVersion(db: Db, dataset: string, fingerprint: string): Promise<DatasetVersion | undefined> {
  const { rows } = await sql<VersionRow>`
    select dataset, version, content, registered_at from datasets.version
    where dataset = ${dataset} and fingerprint = ${fingerprint}
  `.execute(db)
  return rows[0] && versionOf(rows[0])
}

/** The version behind `dataset@3` or `dataset@latest`; `dataset_version_not_found` when there is none. */
export async function resolveDatasetVersion(db: Db, ref: string): Promise<DatasetVersion> {
  const at = ref.lastIndexOf('@')
  const version = ref.slice(at + 1)
  if (!/^(latest|[1-9]\d{0,8})$/.test(version)) {
    throw datasetsFailure(
      'dataset_version_not_found',
      `${ref} names no dataset version: write dataset@3 or dataset@latest`,
    )
  }
  return datasetVersion(db, ref.slice(0, at), version)
}
