import { expect, test } from 'vitest'
import { parentsOf, prettyJson, previewOf } from './artifact-view.ts'

test('text, JSON and pictures of a sensible size are shown; the rest is for download', () => {
  expect(
    ['model/MLmodel', 'report.JSON', 'notes.txt', 'plot.png', 'model.onnx', 'weights'].map((path) =>
      previewOf(path, 100),
    ),
  ).toEqual(['text', 'json', 'text', 'picture', null, null])
  expect(previewOf('huge.json', 2_000_000)).toBeNull()
  expect(previewOf('huge.png', 20_000_000)).toBeNull()
})

test('a picture that may hold scripts is shown as the text that it is', () => {
  expect(previewOf('drawing.svg', 100)).toBe('text')
  expect(previewOf('page.html', 100)).toBe('text')
})

test('JSON is laid out, and what is none is left alone', () => {
  expect(prettyJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}')
  expect(prettyJson('<script>')).toBe('<script>')
})

test('a path leads back through its directories', () => {
  expect(parentsOf('a/b/c')).toEqual([
    { name: 'a', path: 'a' },
    { name: 'b', path: 'a/b' },
    { name: 'c', path: 'a/b/c' },
  ])
  expect(parentsOf('')).toEqual([])
})
