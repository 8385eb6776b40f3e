import { expect, test } from 'vitest'
import { type Edge, edgeKey, nearest, thingOf, withoutObjects } from './lineage-view.ts'

const edge = (from: string, to: string): Edge => ({ from: thingOf(from), to: thingOf(to), operation: 'o', entry: 'e' })
const keys = (edges: readonly Edge[]) => edges.map(edgeKey).sort()

test('files are left out, and what led through them still leads on', () => {
  const edges = [
    edge('dataset-version:d@1', 'object:sha256:a'),
    edge('object:sha256:a', 'object:sha256:b'),
    edge('object:sha256:b', 'object:sha256:a'),
    edge('object:sha256:b', 'version:m@1'),
    edge('run:r', 'version:m@1'),
    edge('object:sha256:c', 'version:m@1'),
  ]
  const kept = withoutObjects(edges, 'version:m@1')
  expect(keys(kept)).toEqual(['dataset-version:d@1 version:m@1', 'run:r version:m@1'])
  expect(kept.map(({ entry }) => entry)).toEqual([undefined, 'e'])
  expect(keys(withoutObjects(edges, 'object:sha256:c'))).toContain('object:sha256:c version:m@1')
})

test('a direct edge is not replaced by a way round', () => {
  const edges = [edge('run:r', 'object:sha256:a'), edge('run:r', 'version:m@1'), edge('object:sha256:a', 'version:m@1')]
  expect(withoutObjects(edges, 'version:m@1')).toEqual([edge('run:r', 'version:m@1')])
})

test('of too many things the nearest are shown', () => {
  const chain = Array.from({ length: 9 }, (_, index) => edge(`run:${index}`, `run:${index + 1}`))
  const { things, edges, left } = nearest(chain, 'run:5', 4)
  expect(things.map(({ id }) => id).sort()).toEqual(['3', '4', '5', '6'])
  expect(keys(edges)).toEqual(['run:3 run:4', 'run:4 run:5', 'run:5 run:6'])
  expect(left).toBe(6)
  expect(nearest([], 'run:0', 4)).toEqual({ things: [thingOf('run:0')], edges: [], left: 0 })
})
