import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { deleteAlias } from './delete-alias.ts'
import { getModel } from './get-model.ts'
import { getVersion } from './get-version.ts'
import { listModels } from './list-models.ts'
import { listVersions } from './list-versions.ts'
import { createRegistry } from './migrations/0001-create-registry.ts'
import { dateChangesOfModels } from './migrations/0002-date-changes-of-models.ts'
import { putModel } from './put-model.ts'
import { registerVersion } from './register-version.ts'
import { search } from './search.ts'
import { setAlias } from './set-alias.ts'

export const registry = defineModule({
  name: 'registry',
  handlers: [putModel, getModel, listModels, registerVersion, getVersion, listVersions, setAlias, deleteAlias],
  errors,
  search,
  migrations: { '0001-create-registry': createRegistry, '0002-date-changes-of-models': dateChangesOfModels },
})
