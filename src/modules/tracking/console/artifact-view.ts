/** How a file among the artifacts can be looked at in the page; null when it can only be downloaded. */
export function previewOf(path: string, size: number): 'text' | 'json' | 'picture' | null {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  if (/^(png|jpe?g|gif|webp)$/.test(ending)) return size <= largestPicture ? 'picture' : null
  if (size > largestText) return null
  if (ending === 'json') return 'json'
  return textEndings.has(ending) || /(^|\/)(MLmodel|Dockerfile|LICENSE|README)$/.test(path) ? 'text' : null
}

const largestPicture = 10 * 1024 * 1024
const largestText = 1024 * 1024
const textEndings = new Set(
  'txt md csv tsv log yaml yml toml ini cfg py ts js sql sh html xml svg env lock r jsonl'.split(' '),
)

/** JSON with its structure to be seen; what is none stays as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** The directories above a path, outermost first. */
export function parentsOf(path: string): { name: string; path: string }[] {
  const parts = path.split('/').filter((part) => part !== '')
  return parts.map((name, index) => ({ name, path: parts.slice(0, index + 1).join('/') }))
}
