import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PaveError } from '#platform/errors.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { getPipeline, listPipelines, startRun } from './contract.ts'
import { declare, modules } from './fixture.ts'

let test: TestPlatform
beforeAll(async () => {
  test = await createTestPlatform({ modules })
}, 60_000)
afterAll(() => test.drop())

type Declared = Parameters<typeof declare>[2]
type Steps = Declared['steps']

async function refusal(spec: Declared): Promise<PaveError> {
  const error: unknown = await declare(test, 'wrong', spec).catch((caught: unknown) => caught)
  if (!(error instanceof PaveError)) throw new Error('the pipeline was accepted')
  return error
}

async function messageOf(steps: Steps): Promise<string> {
  return (await refusal({ steps })).message
}

describe('what does not fit together is refused', () => {
  it('names a cycle the way that work would flow', async () => {
    const step = (name: string, needs: string[]) => ({ name, run: 'true', after: needs })
    const error = await refusal({ steps: [step('a', ['b']), step('b', ['c']), step('c', ['b']), step('d', [])] })
    expect(error.code).toBe('pipeline_cycle')
    expect(error.message).toContain('b → c → b')
    expect(await messageOf([step('a', ['a'])])).toContain('a → a')
    const taking = [
      { name: 'x', run: 'true', inputs: { i: 'steps.y.o' }, outputs: ['o'] },
      { name: 'y', run: 'true', inputs: { i: 'steps.x.o' }, outputs: ['o'] },
    ]
    expect(await messageOf(taking)).toContain('x → y → x')
  })

  it('names unknown steps, outputs and params, with the step that asks for them', async () => {
    const error = await refusal({
      params: { known: { type: 'int', default: 1.5 } },
      steps: [
        { name: 'make', run: 'true', outputs: ['model'], params: ['unknown'] },
        { name: 'use', run: 'true', inputs: { a: 'steps.made.model', b: 'steps.make.trees' }, after: ['nobody'] },
        {
          name: 'call',
          operation: 'get-model',
          with: {
            model: `\${params.other}`,
            x: `\${steps.make.result.y}`,
            y: `\${nonsense}`,
            z: { $json: 'steps.use.a' },
          },
        },
      ],
    })
    expect(error.code).toBe('pipeline_invalid')
    expect(error.problems).toEqual([
      { pointer: '/spec/params/known/default', message: 'the default is not of type int: 1.5' },
      { pointer: '/spec/steps/0/params', message: 'step make: there is no param unknown' },
      { pointer: '/spec/steps/1/inputs/a', message: 'step use: there is no step made' },
      { pointer: '/spec/steps/1/inputs/b', message: 'step use: step make has no output trees (it has model)' },
      { pointer: '/spec/steps/1/after', message: 'step use: there is no step nobody' },
      { pointer: '/spec/steps/2/with/model', message: 'step call: there is no param other' },
      { pointer: '/spec/steps/2/with/x', message: 'step call: make is a command, which has outputs and no result' },
      { pointer: '/spec/steps/2/with/y', message: 'step call: nonsense means nothing here' },
      { pointer: '/spec/steps/2/with/z', message: 'step call: step use has no output a (it has none)' },
    ])
  })

  it('refuses fields that contradict each other, and limits out of bounds', async () => {
    expect(await messageOf([{ name: 'a' }])).toContain('step a: give exactly one of run, job and operation')
    expect(await messageOf([{ name: 'a', run: 'x', job: 'y' }])).toContain('exactly one')
    expect(await messageOf([{ name: 'a', run: 'x', with: { b: 1 } }])).toContain('not with')
    expect(await messageOf([{ name: 'a', run: 'x', timeout: '2d' }])).toContain('at most 11 hours')
    expect(await messageOf([{ name: 'a', run: 'x', outputs: ['b', 'b'] }])).toContain('named twice')
    expect(await messageOf([{ name: 'a', run: 'x', inputs: { d: 'dataset:flights' } }])).toContain('cannot read')
    expect(
      await messageOf([
        { name: 'a', run: 'x' },
        { name: 'a', run: 'y' },
      ]),
    ).toContain('two steps are named a')
    const code = `\${pipeline.code}`
    expect(await messageOf([{ name: 'a', operation: 'x', with: { code } }])).toContain('has no code')
    for (const step of [
      { name: 'a', run: 'x', timeout: 'soon' },
      { name: 'a', run: 'x', resources: { memoryMb: 0 } },
      { name: 'a', run: 'x', inputs: { '../b': 'steps.a.b' } },
      { name: 'a', run: 'x', retries: 1000 },
    ]) {
      expect((await refusal({ steps: [step] })).code).toBe('invalid_input')
    }
  })

  it('refuses code that was not uploaded', async () => {
    const { digest } = await test.platform.services.objects.put('of another workspace')
    const error = await refusal({ code: { digest, size: 20, name: 'steps' }, steps: [{ name: 'a', run: 'true' }] })
    expect(error).toMatchObject({ code: 'code_not_found', message: expect.stringContaining('steps') })
  })
})

it('refuses what an environment cannot be made from, or used by', async () => {
  const maker = { name: 'tools', run: 'true', makes: 'environment' } as const
  const error = await refusal({
    params: { kind: { type: 'int', values: ['a'], default: 1 } },
    steps: [
      { ...maker, files: ['requirements.txt'] },
      { ...maker, name: 'inner', environment: 'tools', cache: false, outputs: ['x'] },
      { name: 'job', job: 'ingest-dataset', makes: 'environment', environment: 'tools' },
      { name: 'use', run: 'true', environment: 'job-less', files: ['a'] },
      { name: 'wrong', run: 'true', environment: 'use' },
    ],
  })
  expect(error.problems.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
    '/spec/params/kind/default the default is none of a: 1',
    '/spec/params/kind/values only a param of type string lists its values',
    '/spec/steps/0/files step tools: the pipeline has no code',
    '/spec/steps/1/environment step inner: an environment is not made in another one',
    '/spec/steps/1/makes step inner: a step that makes an environment has no inputs and no outputs',
    '/spec/steps/1/cache step inner: an environment is made once; change its command or files to make another',
    '/spec/steps/2/environment step job: only a command runs in an environment',
    '/spec/steps/2/makes step job: only a command makes an environment',
    '/spec/steps/2/environment step job: an environment is not made in another one',
    '/spec/steps/3/environment step use: there is no step job-less',
    '/spec/steps/3/files step use: only a step that makes an environment names files',
    '/spec/steps/4/environment step wrong: step use does not say makes: environment',
  ])
})

it('is idempotent', async () => {
  const spec: Declared = { steps: [{ name: 'a', run: 'true' }] }
  const declared = await declare(test, 'same', spec)
  const first = await test.run(getPipeline, { pipeline: 'same' })
  expect(first.spec).toEqual(declared)
  await declare(test, 'same', spec)
  expect(await test.run(getPipeline, { pipeline: 'same' })).toEqual(first)
  const { plan, ...declaredFirst } = first
  expect(plan).toEqual([{ step: 'a', kind: 'command', does: 'true', needs: [] }])
  const { items } = await test.run(listPipelines, {})
  expect(items).toEqual([{ ...declaredFirst, lastRun: null }])
  await expect(test.run(getPipeline, { pipeline: 'other' })).rejects.toMatchObject({ code: 'pipeline_not_found' })
})

it('lists pipelines by what is searched for, each with its last run', async () => {
  await declare(test, 'one-of-two', { description: '50 % der Fälle', steps: [{ name: 'a', run: 'true' }] })
  await declare(test, 'two-of-two', { steps: [{ name: 'a', run: 'true' }] })
  await test.run(startRun, { pipeline: 'one-of-two', reason: 'first' })
  const last = await test.run(startRun, { pipeline: 'one-of-two', reason: 'second' })
  const found = async (search: string) =>
    (await test.run(listPipelines, { search })).items.map(({ pipeline, lastRun }) => [pipeline, lastRun?.run])
  expect(await found('OF-two')).toEqual([
    ['one-of-two', last.run],
    ['two-of-two', undefined],
  ])
  expect(await found('50 % der fä')).toEqual([['one-of-two', last.run]])
})

it('starts runs only with the params declared', async () => {
  await declare(test, 'typed', {
    params: {
      from: { type: 'timestamp', default: '2001-01-01' },
      rows: { type: 'int', default: 5 },
      rate: { type: 'double', default: 1 },
      dry: { type: 'bool', default: false },
      name: { type: 'string' },
      kind: { type: 'string', values: ['tree', 'line'], default: 'tree' },
    },
    steps: [{ name: 'a', run: 'true' }],
  })
  const refused = await test
    .run(startRun, { pipeline: 'typed', params: { rows: 1.5, from: 'May', typo: 1, dry: 'no', kind: 'bush' } })
    .catch((error: unknown) => error)
  expect(refused).toMatchObject({
    code: 'params_invalid',
    problems: [
      { pointer: '/params/typo', message: 'there is no param typo (there are dry, from, kind, name, rate, rows)' },
      { pointer: '/params/dry', message: 'param dry is not of type bool: no' },
      { pointer: '/params/from', message: 'param from is not of type timestamp: May' },
      { pointer: '/params/kind', message: 'param kind is none of tree, line: bush' },
      { pointer: '/params/name', message: 'param name has no value' },
      { pointer: '/params/rows', message: 'param rows is not of type int: 1.5' },
    ],
  })
  await expect(test.run(startRun, { pipeline: 'nothing' })).rejects.toMatchObject({ code: 'pipeline_not_found' })
})
