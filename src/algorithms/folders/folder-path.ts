/** Whether a path is this folder or below it; everything is within the top, whose path is empty. */
export function isWithinFolder(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** The path that something within a folder has when the folder has another one. */
export function pathAfterRename(path: string, folder: string, to: string): string {
  return to + path.slice(folder.length)
}

/** The folder and those that it is in, from the top inwards. */
export function foldersAround(path: string): string[] {
  const names = path === '' ? [] : path.split('/')
  return ['', ...names.map((_, index) => names.slice(0, index + 1).join('/'))]
}

/** The order of a tree: each folder, then what is below it. A space or a dash comes before a slash and must not. */
export function compareFolders(a: string, b: string): number {
  const [left, right] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')]
  return left === right ? 0 : left < right ? -1 : 1
}
