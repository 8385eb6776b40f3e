import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { PaveError } from '../../errors.ts'
import { getNote, probe, putNote } from '../../probe.fixture.ts'
import { type Client, createClient } from '../client.ts'
import { applyChanges, type Change, planManifests } from './apply-manifests.ts'
import { kindsOf, manifestSchema } from './kinds.ts'
import { readManifests } from './read-manifests.ts'

const suite = await createTestPlatform({ extra: [probe] })
const kinds = kindsOf([putNote, getNote])
let client: Client
let directory = ''
beforeAll(async () => {
  const admin = await suite.as('ada', 'admin')
  suite.platform.authenticate = async () => admin
  client = createClient({ url: await suite.controlPlane.http.listen({ host: '127.0.0.1', port: 0 }), token: 'ada' })
})
beforeEach(async () => {
  await rm(directory, { recursive: true, force: true })
  directory = await mkdtemp(join(tmpdir(), 'pave-manifests-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  await suite.drop()
})

async function write(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

const note = (name: string, spec: string, shelf = 'left') =>
  `apiVersion: pave/v1\nkind: Note\nmetadata:\n  name: ${name}\n  shelf: ${shelf}\nspec: ${spec}\n`

async function problemOf(text: string): Promise<PaveError> {
  try {
    await readManifests(await write('note.yaml', text), kinds)
  } catch (error) {
    if (error instanceof PaveError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('says where and what is wrong:', () => {
  test.each([
    ['a tab for indentation', 'apiVersion: pave/v1\nkind:\n\tNote\n', /note\.yaml:3:1: /],
    ['a key twice', 'apiVersion: pave/v1\nkind: Note\nkind: Note\n', /note\.yaml:3:1: .*unique/i],
    ['an open bracket', note('a', '{text: [x'), /note\.yaml:\d+:\d+: /],
    [
      'another version',
      note('a', '{text: x}').replace('pave/v1', 'pave/v9'),
      /note\.yaml:1:13: apiVersion must be pave\/v1/,
    ],
    ['an unknown kind', note('a', '{text: x}').replace('Note', 'Nope'), /note\.yaml:2:7: unknown kind Nope/],
    ['no kind', 'apiVersion: pave/v1\n', /note\.yaml:1:1: unknown kind \(none\)/],
    ['an unknown field', `${note('a', '{text: x}')}status: {}\n`, /note\.yaml:7:1: unknown field status/],
    [
      'unknown metadata',
      note('a', '{text: x}').replace('shelf', 'labels: {}\n  shelf'),
      /unknown field metadata\.labels/,
    ],
    ['no name', note('a', '{text: x}').replace('  name: a\n', ''), /needs metadata\.name/],
    ['an unknown field of the spec', note('a', '\n  text: x\n  colr: red'), /note\.yaml:8:3: .*colr/],
    ['a wrong type', note('a', '\n  colour: red\n  text: 7'), /note\.yaml:8:9: spec\.text: /],
    ['a missing field', note('a', '{colour: red}'), /note\.yaml:6:7: spec\.text: /],
    ['a list in place of a mapping', '- a\n- b\n', /note\.yaml:1:1: a manifest is a mapping/],
    [
      'aliases that multiply',
      `a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n`,
      /note\.yaml:\d+:\d+: /,
    ],
  ])('%s', async (_, text, message) => {
    const problem = await problemOf(text)
    expect(problem).toMatchObject({ code: 'manifest_invalid' })
    expect(problem.message).toMatch(message)
    expect(problem.hint.length).toBeGreaterThan(10)
  })

  test('aliases that multiply inside a spec', async () => {
    const bomb = [
      'x0: &x0 [y]',
      ...Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(9).fill(`*x${i}`).join(', ')}]`),
    ]
    expect(await problemOf(note('a', `\n  text: a\n  ${bomb.join('\n  ')}`))).toMatchObject({
      code: 'manifest_invalid',
    })
  })

  test('a resource twice, with both places', async () => {
    await write('a.yaml', note('same', '{text: x}'))
    await write('b.yml', `${note('other', '{text: x}')}---\n${note('same', '{text: y}')}`)
    await expect(readManifests(directory, kinds)).rejects.toThrow(
      /b\.yml:8:1: Note left\/same is declared twice, first at .*a\.yaml:1:1/,
    )
    await write('b.yml', note('same', '{text: y}', 'right'))
    expect(await readManifests(directory, kinds)).toHaveLength(2)
  })

  test('a path with nothing at it, and a directory without manifests', async () => {
    await expect(readManifests(join(directory, 'nowhere'), kinds)).rejects.toMatchObject({ code: 'manifest_invalid' })
    await expect(readManifests(directory, kinds)).rejects.toThrow('holds no YAML file')
  })

  test('a file of content that is not there', async () => {
    const path = await write('note.yaml', note('a', '{text: x, file: {file: ./absent.bin}}'))
    await expect(planManifests(client, await readManifests(path, kinds))).rejects.toThrow(
      /note\.yaml.*there is no file .*absent\.bin/,
    )
  })
})

describe('plan and apply', () => {
  const plan = async () => planManifests(client, await readManifests(directory, kinds))
  const actions = (changes: readonly Change[]) => changes.map((one) => [one.manifest.name, one.action])

  test('shows what differs, puts it, and a second time changes nothing', async () => {
    await write('note.yaml', note('planned', '{text: one}'))
    expect(actions(await plan())).toEqual([['left/planned', 'create']])
    await applyChanges(client, await plan(), () => {})
    expect(actions(await plan())).toEqual([['left/planned', 'unchanged']])
    await write('note.yaml', note('planned', '{text: two, colour: blue}'))
    const [change] = await plan()
    expect(change).toMatchObject({
      action: 'update',
      differences: [
        { path: 'text', before: 'one', after: 'two' },
        { path: 'colour', before: 'white', after: 'blue' },
      ],
    })
    const applied: string[] = []
    await applyChanges(client, await plan(), ({ action }) => applied.push(action))
    await applyChanges(client, await plan(), ({ action }) => applied.push(action))
    expect(applied).toEqual(['update', 'unchanged'])
    const entries = await suite.platform.systemPool.query(
      `select 1 from ledger.entry where operation = 'put-note' and body like '%done%'`,
    )
    expect(entries.rowCount).toBe(2)
  })

  test('does not overwrite what somebody changed since the plan', async () => {
    await write('note.yaml', note('raced', '{text: one}'))
    await applyChanges(client, await plan(), () => {})
    await write('note.yaml', note('raced', '{text: two}'))
    const changes = await plan()
    await client.call(putNote, { shelf: 'left', note: 'raced', spec: { text: 'somebody else' } })
    await expect(applyChanges(client, changes, () => {})).rejects.toMatchObject({ code: 'precondition_failed' })
    expect((await client.call(getNote, { shelf: 'left', note: 'raced' })).spec.text).toBe('somebody else')
  })

  test('uploads content that is named by path, once', async () => {
    await write('bytes.bin', 'some bytes')
    await write('note.yaml', note('content', '{text: x, file: {file: ./bytes.bin}}'))
    await applyChanges(client, await plan(), () => {})
    const { spec } = await client.call(getNote, { shelf: 'left', note: 'content' })
    expect(spec.file).toMatchObject({ size: 10, digest: expect.stringMatching(/^sha256:/) })
    const stored = await client.raw('GET', `/api/v1/objects/${spec.file?.digest}`)
    expect(await stored.text()).toBe('some bytes')
    expect(actions(await plan())).toEqual([['left/content', 'unchanged']])
    await write('bytes.bin', 'more bytes')
    expect((await plan())[0]?.differences.map((one) => one.path)).toEqual(['file.digest'])
  })
})

test('the schema for editors takes content by path, and nothing that the server would not', async () => {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const [kind] = kinds
  if (kind === undefined) throw new Error('there is a kind')
  const valid = new Ajv2020({ strict: false }).compile(manifestSchema(kind))
  const manifest = (spec: object, more: object = {}) => ({
    apiVersion: 'pave/v1',
    kind: 'Note',
    metadata: { name: 'a', shelf: 's' },
    spec,
    ...more,
  })
  expect(valid(manifest({ text: 'x' }))).toBe(true)
  expect(valid(manifest({ text: 'x', file: { file: './x' } }))).toBe(true)
  expect(valid(manifest({ text: 'x', file: { path: './x' } }))).toBe(false)
  expect(valid(manifest({ text: 'x', colr: 'red' }))).toBe(false)
  expect(valid(manifest({ text: 'x' }, { metadata: { name: 'a' } }))).toBe(false)
  expect(valid(manifest({ text: 'x' }, { status: {} }))).toBe(false)
})
