import { folderTag } from '#platform/names.ts'

/** What Pave keeps apart is a tag to clients of MLflow; what is at the top has none. */
export function withFolderTag(tags: Record<string, string>, folder: string): Record<string, string> {
  return folder === '' ? tags : { ...tags, [folderTag]: folder }
}
