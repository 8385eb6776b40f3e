import { isWithinFolder, pathAfterRename } from '#algorithms/folders/folder-path.ts'
import { handle } from '#platform/context.ts'
import { failure } from '#platform/errors.ts'
import { FolderPath } from '#platform/names.ts'
import { lockFolders } from '#platform/storage/database/folders.ts'
import { carryModels } from '../registry/contract.ts'
import { modelFolders } from '../registry/queries.ts'
import { carryExperiments } from '../tracking/contract.ts'
import { experimentFolders } from '../tracking/queries.ts'
import * as contract from './contract.ts'

const folderFailure = failure(contract.errors)

/** Never joins two folders: so renaming it back undoes it, whatever is in it. */
export const renameFolder = handle(contract.renameFolder, async (ctx, { folder, to }) => {
  await lockFolders(ctx)
  const withExperiments: string[] = []
  const withModels: string[] = []
  for (const within of [folder, to]) {
    withExperiments.push(...(await experimentFolders(ctx.db, within)).map((one) => one.folder))
    withModels.push(...(await modelFolders(ctx.db, within)).map((one) => one.folder))
  }
  const every = [...withExperiments, ...withModels]
  const isMoving = (path: string) => isWithinFolder(path, folder)
  if (!every.some(isMoving)) throw folderFailure('folder_not_found', `There is no folder ${folder}`)
  if (isMoving(to)) throw folderFailure('folder_within_itself', `${to} is ${folder} itself or below it`)
  if (every.some((path) => isWithinFolder(path, to) && !isMoving(path))) {
    throw folderFailure('folder_exists', `There is a folder ${to} with something in it, if only in the trash`)
  }
  const broken = every
    .filter(isMoving)
    .map((path) => pathAfterRename(path, folder, to))
    .find((path) => !FolderPath.safeParse(path).success)
  if (broken !== undefined) throw folderFailure('folder_too_deep', `There would be a folder ${broken}`)
  const { experiments } = withExperiments.some(isMoving)
    ? await ctx.callAsSystem(carryExperiments, { folder, to })
    : { experiments: 0 }
  const { models } = withModels.some(isMoving) ? await ctx.callAsSystem(carryModels, { folder, to }) : { models: 0 }
  ctx.entry.subject('folder', folder)
  ctx.entry.subject('folder', to)
  ctx.entry.facts({ experiments, models })
  return { folder: to, experiments, models }
})
