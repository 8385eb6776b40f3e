import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillTemplates, referencesIn, type TemplateScope } from './templates.ts'

const scope: TemplateScope = {
  params: { unit: 'miles', trees: 80, dry: false },
  run: { id: 'r1' },
  pipeline: { name: 'train', code: 'sha256:c' },
  result: (step) => (step === 'ingest' ? { version: 3, names: ['a', 'b'], empty: null } : undefined),
  digest: (step, output) => (step === 'train' && output === 'report' ? 'sha256:r' : undefined),
  json: async () => ({ signature: { inputs: [1, 2] }, auc: 0.7 }),
}

describe('filling', () => {
  it('keeps the type of a whole text, and writes into longer ones', async () => {
    const value = {
      whole: `\${params.trees}`,
      list: [`\${ steps.ingest.result.names }`, `\${params.dry}`],
      text: `flights@\${steps.ingest.result.version} in \${params.unit}`,
      second: `\${steps.ingest.result.names.1}`,
      none: `\${steps.ingest.result.empty}`,
      everything: `\${steps.ingest.result}`,
      of: `\${run.id} \${pipeline.name} \${pipeline.code} \${steps.train.report}`,
      plain: [1, null, true, '$', '${', '{}'],
    }
    expect(await fillTemplates(value, scope)).toEqual({
      whole: 80,
      list: [['a', 'b'], false],
      text: 'flights@3 in miles',
      second: 'b',
      none: null,
      everything: { version: 3, names: ['a', 'b'], empty: null },
      of: 'r1 train sha256:c sha256:r',
      plain: [1, null, true, '$', '${', '{}'],
    })
  })

  it('reads artifacts', async () => {
    const value = {
      digest: { $digest: 'steps.train.report' },
      all: { $json: 'steps.train.report' },
      part: { $json: 'steps.train.report', path: 'signature.inputs.1' },
    }
    expect(await fillTemplates(value, scope)).toEqual({
      digest: 'sha256:r',
      all: { signature: { inputs: [1, 2] }, auc: 0.7 },
      part: 2,
    })
  })

  it('says what is not there, and what is', async () => {
    for (const [value, message] of [
      [`\${steps.ingest.result.rows}`, /there is no rows among version, names, empty/],
      [`\${steps.other.result.rows}`, /there is no rows$/],
      [`\${params.depth}`, /names nothing/],
      [{ $json: 'steps.train.report', path: 'aux' }, /there is no aux among signature, auc/],
      [`\${steps.ingest.result.constructor}`, /there is no constructor/],
    ] as const) {
      await expect(fillTemplates(value, scope)).rejects.toMatchObject({
        code: 'reference_unresolved',
        message: expect.stringMatching(message),
      })
    }
  })

  it('leaves any value without templates as it is', async () => {
    const json = fc.jsonValue().filter((value) => referencesIn(value).length === 0)
    await fc.assert(
      fc.asyncProperty(json, async (value) => void expect(await fillTemplates(value, scope)).toEqual(value)),
    )
  })
})

it('finds references with their places', () => {
  const value = { a: [`x \${params.unit}\${what}`], b: { $digest: 'steps.train.report' }, c: { $json: 'params.unit' } }
  expect(referencesIn(value, 'with')).toEqual([
    { text: 'params.unit', pointer: 'with/a/0', reference: { kind: 'param', name: 'unit' } },
    { text: 'what', pointer: 'with/a/0', reference: undefined },
    { text: 'steps.train.report', pointer: 'with/b', reference: { kind: 'output', step: 'train', output: 'report' } },
    { text: 'params.unit', pointer: 'with/c', reference: undefined },
  ])
})
