import { expect, it } from 'vitest'
import { fillParams, unknownReferences } from './watermark-params.ts'

// Written with a plain dollar sign, as in YAML.
const inBraces = (text: string) => `$\{${text}}`

it('fills in dates of event time', () => {
  const params = { from: inBraces('watermark - 60d'), to: inBraces('watermark'), trees: 100, note: 'plain' }
  expect(fillParams(params, '2001-04-22T06:00:00.000Z')).toEqual({
    from: '2001-02-21',
    to: '2001-04-22',
    trees: 100,
    note: 'plain',
  })
  expect(unknownReferences(params)).toEqual([])
})

it('names what it does not know', () => {
  expect(unknownReferences({ from: `a ${inBraces('now')} b`, to: inBraces('watermark-60x') })).toEqual([
    inBraces('now'),
    inBraces('watermark-60x'),
  ])
})
