import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { FolderPath, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

const Counts = z.object({ experiments: z.int(), models: z.int(), prompts: z.int() })

/** There is one while something is in it or below it that is not deleted. */
export const Folder = z.object({
  folder: z.string(),
  own: Counts.describe('What is in it'),
  all: Counts.describe('The same with what is in the folders below it'),
})
export type Folder = z.infer<typeof Folder>

export const listFolders = operation({
  name: 'list-folders',
  method: 'GET',
  path: '/api/v1/folders',
  summary: 'List the folders below one, in the order of the tree, with how much is in each and below it',
  effect: 'read',
  permission: { verb: 'folder:read', on: [] },
  errors: [],
  input: z.object({
    folder: FolderPath.default('').describe('Empty is the top'),
    levels: z.int().min(1).max(8).default(8).describe('How far below'),
    limit: z.int().min(1).max(1000).default(200),
    cursor: z.string().max(4000).optional(),
  }),
  output: pageOf(Folder).extend({ folder: Folder.describe('The one that was asked for') }),
})

export const renameFolder = operation({
  name: 'rename-folder',
  method: 'POST',
  path: '/api/v1/folders/rename',
  summary: 'Give a folder another path; all experiments and models in it and below it go along at once',
  effect: 'write',
  permission: { verb: 'folder:rename', on: [] },
  errors: ['folder_not_found', 'folder_exists', 'folder_within_itself', 'folder_too_deep'],
  input: z.object({ folder: FolderPath.min(1), to: FolderPath.min(1) }),
  output: z.object({ folder: z.string(), experiments: z.int(), models: z.int() }),
})

export const errors = defineErrors({
  folder_not_found: {
    status: 404,
    summary: 'No experiment and no model is in the folder or below it.',
    hint: 'List what exists with `pave list-folders`.',
  },
  folder_exists: {
    status: 409,
    summary: 'Something is in a folder of this path already, if only in the trash.',
    hint: 'Choose another path. To join two folders, move what is in one with `pave move-experiments` and `pave move-models`.',
  },
  folder_within_itself: {
    status: 422,
    summary: 'A folder cannot go into itself or below itself.',
    hint: 'Move what is in it with `pave move-experiments` and `pave move-models`.',
  },
  folder_too_deep: {
    status: 422,
    summary: 'A folder below would be too deep, or its path too long.',
    hint: 'A path has 8 names and 500 characters at most: choose a shorter one.',
  },
})
