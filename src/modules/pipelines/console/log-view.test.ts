import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appendTo, beginLog, type Chunk, findInLog, prependTo } from './log-view.ts'

/** As the server cuts a log: at whole characters. */
function cut(text: string, from: number, to: number): Chunk {
  const bytes = Buffer.from(text)
  return { text: bytes.subarray(from, to).toString(), offset: from, next: to }
}

test('a log that is read from its end, backwards and on, is the whole log', () => {
  const logs = fc.array(fc.stringMatching(/^[a-zäöü€𝄞 ]{0,12}$/u), { maxLength: 30 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(logs, fc.array(fc.nat(400), { minLength: 2, maxLength: 6 }), (text, places) => {
      const size = Buffer.byteLength(text)
      const boundaries = new Set([0])
      let at = 0
      for (const character of text) {
        at += Buffer.byteLength(character)
        boundaries.add(at)
      }
      const cuts = [...new Set(places.map((place) => place % (size + 1)))]
        .filter((one) => boundaries.has(one))
        .sort((a, b) => a - b)
      const [middle = 0] = cuts
      let log = beginLog(cut(text, middle, cuts.at(-1) ?? size))
      if (log.to < size) log = appendTo(log, cut(text, log.to, size))
      while (log.from > 0) log = prependTo(log, cut(text, cuts.findLast((one) => one < log.from) ?? 0, log.from))
      expect(log.lines).toEqual(text.split('\n'))
      expect(log.to).toBe(size)
    }),
  )
})

test('lines grow as they are printed', () => {
  const log = beginLog(cut('one\ntw', 0, 6))
  const grown = appendTo(log, { text: 'o\nthree\n', offset: 6, next: 14 })
  expect(grown).toEqual({ from: 0, to: 14, lines: ['one', 'two', 'three', ''] })
  expect(appendTo(grown, { text: '', offset: 14, next: 14 })).toEqual(grown)
})

test('colours and what a progress bar has overwritten are not shown', () => {
  const { lines } = beginLog(
    cut('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\n10 %\r20 %\r100 %\r\n<b>html</b>', 0, 100),
  )
  expect(lines).toEqual(['red link', '100 %', '<b>html</b>'])
})

test('a line of a megabyte is shown by its beginning', () => {
  const [line = ''] = beginLog(cut('x'.repeat(1_000_000), 0, 1_000_000)).lines
  expect(line).toBe(`${'x'.repeat(4_000)} … and more`)
})

test('a search finds every line in any case', () => {
  expect(findInLog(beginLog(cut('Error: a\nok\nan error', 0, 20)), 'ERROR')).toEqual([0, 2])
  expect(findInLog(beginLog(cut('a', 0, 1)), '')).toEqual([])
})
