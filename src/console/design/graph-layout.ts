import { graphlib, layout } from '@dagrejs/dagre'

interface Point {
  x: number
  y: number
}

export interface GraphLayout {
  width: number
  height: number
  /** The middle of each node. */
  places: ReadonlyMap<string, Point>
  edges: readonly { key: string; path: string }[]
}

/** Lays out a directed graph of equal boxes, from left to right or from the top down; edges as the paths of SVG. */
export function layoutGraph(options: {
  nodes: readonly string[]
  edges: readonly { from: string; to: string }[]
  box: { width: number; height: number }
  direction: 'LR' | 'TB'
}): GraphLayout {
  const { nodes, edges, box, direction } = options
  const graph = new graphlib.Graph()
  graph.setGraph({ rankdir: direction, nodesep: 14, ranksep: 30, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of nodes) graph.setNode(node, { ...box })
  for (const { from, to } of edges) graph.setEdge(from, to)
  layout(graph)
  // The library's own types do not resolve here; these are what it answers.
  const size: { width: number; height: number } = graph.graph()
  const pairs: { v: string; w: string }[] = graph.edges()
  return {
    width: size.width,
    height: size.height,
    places: new Map(nodes.map((node): [string, Point] => [node, graph.node(node)])),
    edges: pairs.map((pair) => ({ key: `${pair.v} ${pair.w}`, path: curve(graph.edge(pair).points) })),
  }
}

function curve(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return ''
  const inner = rest.slice(0, -1).map(({ x, y }, index) => {
    const next = rest[index + 1] ?? last
    return `Q ${x} ${y} ${(x + next.x) / 2} ${(y + next.y) / 2}`
  })
  return `M ${first.x} ${first.y} ${inner.join(' ')} L ${last.x} ${last.y}`
}
