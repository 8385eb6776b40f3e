import type { DatasetVersion } from '#modules/datasets/contract.ts'
import type { ResolvedView } from './resolve-view.ts'
import { featureStoreFailure } from './tables.ts'

/**
 * The columns that a view reads must be in the version as the view's definition means them.
 *
 * @throws `view_on_other_dataset`, `dataset_version_outdated`
 */
export function requireCurrent(view: ResolvedView, version: DatasetVersion): void {
  if (view.dataset !== version.dataset) {
    throw featureStoreFailure(
      'view_on_other_dataset',
      `The feature view ${view.view} reads ${view.dataset}, not ${version.dataset}`,
    )
  }
  const changed = view.columns.find(
    ({ name, expression }) =>
      version.derived[name] !== expression || !version.columns.some((column) => column.name === name),
  )
  if (changed !== undefined) {
    throw featureStoreFailure(
      'dataset_version_outdated',
      `${version.ref} has another ${changed.name} than the feature view ${view.view} follows now`,
    )
  }
}
