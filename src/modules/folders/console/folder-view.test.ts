import { expect, test } from 'vitest'
import { AddressedFolder, folderTrail, nameOfFolder } from './folder-view.ts'

test.each([
  ['risk/fraud', 'risk/fraud'],
  [2026, '2026'],
  [undefined, undefined],
  [{ a: 1 }, undefined],
])('%j in an address is the folder %j', (given, folder) => {
  expect(AddressedFolder.parse(given)).toBe(folder)
})

test('a folder has the name at the end of its path, and a trail from the top', () => {
  expect([nameOfFolder('risk/fraud'), nameOfFolder('risk'), nameOfFolder('')]).toEqual(['fraud', 'risk', ''])
  expect(folderTrail('/models', 'Models', '')).toEqual([{ title: 'Models', link: { to: '/models', search: {} } }])
  expect(folderTrail('/models', 'Models', 'a/a').map(({ title, link }) => [title, link.search])).toEqual([
    ['Models', {}],
    ['a', { folder: 'a' }],
    ['a', { folder: 'a/a' }],
  ])
})
