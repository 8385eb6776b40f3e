/** A thing in the graph: its ledger subject. */
export interface Thing {
  kind: string
  id: string
}

export interface Edge {
  from: Thing
  to: Thing
  operation: string
  /** The ledger entry that says so; undefined where files between two things were left out. */
  entry: string | undefined
}

export const keyOf = ({ kind, id }: Thing): string => `${kind}:${id}`

export const edgeKey = ({ from, to }: Edge): string => `${keyOf(from)} ${keyOf(to)}`

export function thingOf(key: string): Thing {
  const colon = key.indexOf(':')
  return { kind: key.slice(0, colon), id: key.slice(colon + 1) }
}

/** Leaves out the stored files: what went in by way of one leads straight to what came of it. */
export function withoutObjects(edges: readonly Edge[], centre: string): Edge[] {
  const isFile = (thing: Thing) => thing.kind === 'object' && keyOf(thing) !== centre
  const out = new Map<string, Edge[]>()
  for (const edge of edges) out.set(keyOf(edge.from), [...(out.get(keyOf(edge.from)) ?? []), edge])
  const kept = new Map<string, Edge>()
  for (const start of edges) {
    if (isFile(start.from)) continue
    const seen = new Set<string>()
    const follow = (edge: Edge, direct: boolean) => {
      if (!isFile(edge.to)) {
        if (keyOf(edge.to) === keyOf(start.from)) return
        const found = { ...edge, from: start.from, entry: direct ? edge.entry : undefined }
        if (direct || !kept.has(edgeKey(found))) kept.set(edgeKey(found), found)
        return
      }
      if (seen.has(keyOf(edge.to))) return
      seen.add(keyOf(edge.to))
      for (const next of out.get(keyOf(edge.to)) ?? []) follow(next, false)
    }
    follow(start, true)
  }
  return [...kept.values()]
}

/** The things nearest to the centre, as many as a picture can hold, and the edges between them. */
export function nearest(
  edges: readonly Edge[],
  centre: string,
  most: number,
): { things: Thing[]; edges: Edge[]; left: number } {
  const neighbours = new Map<string, string[]>()
  const join = (a: string, b: string) => neighbours.set(a, [...(neighbours.get(a) ?? []), b])
  for (const { from, to } of edges) {
    join(keyOf(from), keyOf(to))
    join(keyOf(to), keyOf(from))
  }
  const reached = new Set([centre])
  for (const key of reached) for (const next of neighbours.get(key) ?? []) reached.add(next)
  const shown = new Set([...reached].slice(0, most))
  return {
    things: [...shown].map(thingOf),
    edges: edges.filter(({ from, to }) => shown.has(keyOf(from)) && shown.has(keyOf(to))),
    left: reached.size - shown.size,
  }
}
