import { compareFolders } from '#algorithms/folders/folder-path.ts'
import { countFolders } from '#algorithms/folders/folder-tree.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import { modelFolders } from '../registry/queries.ts'
import { experimentFolders } from '../tracking/queries.ts'
import * as contract from './contract.ts'

export const listFolders = handle(contract.listFolders, async (ctx, { folder, levels, limit, cursor }) => {
  // What the two modules tell must be of one moment.
  await holdFolders(ctx)
  const [after] = decodeCursor(cursor, 1) ?? [folder]
  const things = [...(await experimentFolders(ctx.db, folder)), ...(await modelFolders(ctx.db, folder))]
  const [root, ...below] = countFolders(things, folder, levels)
  if (root === undefined) throw new Error('the root of a tree is in it')
  const rest = below.filter((one) => compareFolders(one.folder, String(after)) > 0)
  const page = pageFrom(
    rest,
    limit,
    (one) => one,
    (one) => [one.folder],
  )
  return { folder: root, ...page }
})
