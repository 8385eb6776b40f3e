import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { listFolders } from './list-folders.ts'
import { renameFolder } from './rename-folder.ts'

/** Each module keeps the folders of its own things; this one knows both. */
export const folders = defineModule({ name: 'folders', handlers: [listFolders, renameFolder], errors })
