import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { getDataset } from './get-dataset.ts'
import { getDatasetVersion } from './get-dataset-version.ts'
import { ingestDataset } from './ingest-dataset.ts'
import { ingestJob } from './ingest-job.ts'
import { listDatasetVersions } from './list-dataset-versions.ts'
import { listDatasets } from './list-datasets.ts'
import { listQuarantine } from './list-quarantine.ts'
import { createDatasets } from './migrations/0001-create-datasets.ts'
import { putDataset } from './put-dataset.ts'
import { registerDatasetVersion } from './register-dataset-version.ts'
import { search } from './search.ts'

export const datasets = defineModule({
  name: 'datasets',
  handlers: [
    putDataset,
    getDataset,
    listDatasets,
    ingestDataset,
    registerDatasetVersion,
    getDatasetVersion,
    listDatasetVersions,
    listQuarantine,
  ],
  errors,
  search,
  migrations: { '0001-create-datasets': createDatasets },
  jobs: [ingestJob],
})
