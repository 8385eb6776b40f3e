import { expect, test } from 'vitest'
import { addressOf, isViewName, tagOf, viewsOf, viewText } from './saved-views.ts'

test('a view holds what finds and draws runs, and comes back from the tag of its experiment', () => {
  const address = {
    filter: 'metrics.auc > 0.7',
    order: '-metric.auc',
    smooth: 0.6,
    ylog: true,
    compare: 'a,b',
    open: 'a',
  }
  const tags = { 'mlflow.note.content': 'x', [tagOf('best ones')]: viewText(address), [tagOf('all')]: '{}' }
  expect(viewsOf(tags)).toEqual([
    { name: 'all', state: {} },
    { name: 'best ones', state: { filter: 'metrics.auc > 0.7', order: '-metric.auc', smooth: 0.6, ylog: true } },
  ])
  expect(addressOf({ filter: 'x' })).toMatchObject({ filter: 'x', order: undefined, columns: undefined })
})

test('a tag that somebody else wrote is no view, and adds nothing to the address', () => {
  const tags = {
    'pave.view.': '{}',
    'pave.view.a': '{',
    'pave.view.b': '[1]',
    'pave.view.c': '{"x":{"y":1},"to":"/evil","y":"z"}',
  }
  expect(viewsOf(tags)).toEqual([{ name: 'c', state: { y: 'z' } }])
})

test('a name must be one that a tag can have', () => {
  expect(['best', 'Ünïcode 7', 'a.b:c'].every(isViewName)).toBe(true)
  expect(['', ' a', 'a ', '/a', 'a,b', '<b>', 'x'.repeat(101)].some(isViewName)).toBe(false)
})
