/** A statement that comes again this often is worth the memory that each session keeps its plan in. */
const often = 20
const mostNames = 300
const mostCounted = 5_000

const counts = new Map<string, number>()
const names = new Map<string, string>()

/**
 * The name under which sessions prepare a statement once, so that the server parses and plans it no more; undefined for
 * one that is too rare, or that asks for all columns: its answer would change with the next migration.
 */
export function nameOf(text: string): string | undefined {
  const name = names.get(text)
  if (name !== undefined || names.size >= mostNames) return name
  const count = (counts.get(text) ?? 0) + 1
  if (counts.size >= mostCounted) counts.clear()
  counts.set(text, count)
  if (count < often || allColumns.test(text)) return undefined
  counts.delete(text)
  const given = `pave_${names.size}`
  names.set(text, given)
  return given
}

const allColumns = /(select|returning|,|\.)\s*\*/i
