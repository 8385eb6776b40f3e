import { compareFolders, foldersAround, isWithinFolder } from './folder-path.ts'

interface FolderCounts {
  experiments: number
  models: number
  prompts: number
}

interface CountedFolder {
  folder: string
  /** What is in it. */
  own: FolderCounts
  /** The same with what is in the folders below it. */
  all: FolderCounts
}

/**
 * Every folder within `root` that has something in it or below it, and so many levels further in at most; the root itself
 * first, even when it is empty.
 */
export function countFolders(
  things: Iterable<Partial<FolderCounts> & { folder: string }>,
  root: string,
  levels: number,
): CountedFolder[] {
  const counted = new Map<string, CountedFolder>([[root, emptyFolder(root)]])
  const deepest = foldersAround(root).length + levels
  for (const { folder, experiments = 0, models = 0, prompts = 0 } of things) {
    if (!isWithinFolder(folder, root) || experiments + models + prompts === 0) continue
    const counts = { experiments, models, prompts }
    for (const around of foldersAround(folder).slice(0, deepest)) {
      if (!isWithinFolder(around, root)) continue
      const found = counted.get(around) ?? emptyFolder(around)
      counted.set(around, found)
      add(found.all, counts)
      if (around === folder) add(found.own, counts)
    }
  }
  return [...counted.values()].sort((a, b) => compareFolders(a.folder, b.folder))
}

function emptyFolder(folder: string): CountedFolder {
  const none = { experiments: 0, models: 0, prompts: 0 }
  return { folder, own: { ...none }, all: { ...none } }
}

function add(sum: FolderCounts, { experiments, models, prompts }: FolderCounts): void {
  sum.experiments += experiments
  sum.models += models
  sum.prompts += prompts
}
