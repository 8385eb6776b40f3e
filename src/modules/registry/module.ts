import { defineModule } from '#platform/module.ts'
import { carryModels } from './carry-models.ts'
import { errors } from './contract.ts'
import { conversionJob } from './conversion-job.ts'
import { convertVersion } from './convert-version.ts'
import { deleteAlias } from './delete-alias.ts'
import { deleteModel } from './delete-model.ts'
import { deleteVersion } from './delete-version.ts'
import { finishConversion } from './finish-conversion.ts'
import { getModel } from './get-model.ts'
import { getVersion } from './get-version.ts'
import { importVersion } from './import-version.ts'
import { listAliasMoves } from './list-alias-moves.ts'
import { listModels } from './list-models.ts'
import { listVersions } from './list-versions.ts'
import { createRegistry } from './migrations/0001-create-registry.ts'
import { dateChangesOfModels } from './migrations/0002-date-changes-of-models.ts'
import { letVersionsBeLabelledAndRemoved } from './migrations/0003-let-versions-be-labelled-and-removed.ts'
import { keepModelsInFolders } from './migrations/0004-keep-models-in-folders.ts'
import { keepTwins } from './migrations/0005-keep-twins.ts'
import { moveModels } from './move-models.ts'
import { objectLists } from './object-lists.ts'
import { putModel } from './put-model.ts'
import { registerVersion } from './register-version.ts'
import { renameModel } from './rename-model.ts'
import { search } from './search.ts'
import { searchModels } from './search-models.ts'
import { searchVersions } from './search-versions.ts'
import { setAlias } from './set-alias.ts'
import { undoAliasMove } from './undo-alias-move.ts'
import { updateVersion } from './update-version.ts'

export const registry = defineModule({
  name: 'registry',
  handlers: [
    putModel,
    getModel,
    listModels,
    searchModels,
    moveModels,
    carryModels,
    renameModel,
    deleteModel,
    registerVersion,
    importVersion,
    getVersion,
    listVersions,
    searchVersions,
    updateVersion,
    deleteVersion,
    convertVersion,
    finishConversion,
    setAlias,
    deleteAlias,
    listAliasMoves,
    undoAliasMove,
  ],
  errors,
  objectLists,
  search,
  migrations: {
    '0001-create-registry': createRegistry,
    '0002-date-changes-of-models': dateChangesOfModels,
    '0003-let-versions-be-labelled-and-removed': letVersionsBeLabelledAndRemoved,
    '0004-keep-models-in-folders': keepModelsInFolders,
    '0005-keep-twins': keepTwins,
  },
  jobs: [conversionJob],
})
