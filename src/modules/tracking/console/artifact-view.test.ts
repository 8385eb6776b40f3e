import { expect, test } from 'vitest'
import { csvTable, jsonTable, parentsOf, prettyJson, previewOf, separatorOf } from './artifact-view.ts'

test('text, JSON and pictures of a sensible size are shown; the rest is for download', () => {
  expect(
    ['model/MLmodel', 'report.JSON', 'notes.txt', 'plot.png', 'model.onnx', 'weights'].map((path) =>
      previewOf(path, 100),
    ),
  ).toEqual(['text', 'json', 'text', 'picture', null, null])
  expect(previewOf('huge.json', 2_000_000)).toBeNull()
  expect(previewOf('huge.png', 20_000_000)).toBeNull()
})

test('a drawing that may hold scripts is only ever a picture, a page is the text that it is', () => {
  expect(previewOf('drawing.svg', 100)).toBe('drawing')
  expect(previewOf('page.html', 100)).toBe('text')
})

test('a CSV is read with its quotes, and tables of log_table as they are', () => {
  expect(csvTable('a,b\r\n"x, ""y""\nz",2\n\n3,\n', ',')).toEqual({
    columns: ['a', 'b'],
    rows: [
      ['x, "y"\nz', '2'],
      ['3', ''],
    ],
  })
  expect(separatorOf('a.csv', 'a;b;c\n1,5;2')).toBe(';')
  expect(separatorOf('a.tsv', 'a,b')).toBe('\t')
  expect(jsonTable('{"columns":["q","n"],"data":[["<b>",1],[null,{"a":2}]]}')).toEqual({
    columns: ['q', 'n'],
    rows: [
      ['<b>', '1'],
      ['', '{"a":2}'],
    ],
  })
  expect(jsonTable('{"columns":3,"data":[]}')).toBeUndefined()
  expect(jsonTable('[')).toBeUndefined()
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
