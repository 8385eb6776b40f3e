import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matchesLike } from './matches-like.ts'

it('means what it means as a regular expression', () => {
  const words = fc.array(fc.constantFrom('a', 'b', '%', '_', '.', '\\', '😀'), { maxLength: 12 })
  fc.assert(
    fc.property(words, words, (text, pattern) => {
      const meaning: Record<string, string> = { '%': '.*', _: '.', '.': '\\.', '\\': '\\\\' }
      const oracle = new RegExp(`^${pattern.map((piece) => meaning[piece] ?? piece).join('')}$`, 'su')
      expect(matchesLike(text.join(''), pattern.join(''))).toBe(oracle.test(text.join('')))
    }),
  )
})

it('never looks back further than to the last %', () => {
  // Exponential in the number of parts, it would never end.
  expect(matchesLike('a'.repeat(20_000), `${'%a'.repeat(50)}%b`)).toBe(false)
})
