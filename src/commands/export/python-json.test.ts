import { describe, expect, it } from 'vitest'
import { parseExactly } from '../import/exact-json.ts'
import { pythonJson } from './python-json.ts'

describe('JSON as Python writes it', () => {
  it('has spaces, and numbers as they were written', () => {
    const text = '{"a": [1.0, 9007199254740993, 1e-07, null, true], "b": {"c": "🌲\\n"}}'
    expect(pythonJson(parseExactly(text))).toBe(text)
  })

  it('sorts keys and escapes what is not ASCII where MLflow does', () => {
    expect(pythonJson({ b: 'é🌲', a: 1 }, { ascii: true, sorted: true })).toBe('{"a": 1, "b": "\\u00e9\\ud83c\\udf32"}')
  })
})
