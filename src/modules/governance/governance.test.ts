import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { putModel, registerVersion, setAlias } from '#modules/registry/contract.ts'
import type { Actor } from '#platform/actor.ts'
import { handle } from '#platform/context.ts'
import type { PaveError } from '#platform/errors.ts'
import { approve, listPendingOperations, recordObject } from '#platform/kernel/contract.ts'
import { defineModule } from '#platform/module.ts'
import { VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { until } from '#testing/until.ts'
import { identity } from '../identity/module.ts'
import { registry } from '../registry/module.ts'
import { evaluateGates, exportEvidence, getPolicy, listGateStates, listPolicies, putPolicy } from './contract.ts'
import { governance } from './module.ts'

/** Stands for what a later module does behind the same admission point. */
const startRelease = operation({
  name: 'start-release',
  method: 'POST',
  path: '/api/v1/test/releases',
  summary: 'Release a version',
  effect: 'write',
  permission: { verb: 'release:start', on: [] },
  admission: 'release.start',
  errors: [],
  input: z.object({ version: VersionRef }),
  output: z.object({ version: z.string() }),
})
const released: string[] = []
const later = defineModule({
  name: 'later',
  handlers: [
    handle(startRelease, async (ctx, { version }) => {
      ctx.entry.subject('version', version)
      ctx.afterCommit(() => void released.push(version))
      return { version }
    }),
  ],
})

const suite = await createTestPlatform({ modules: [identity, registry, governance, later] })
afterAll(() => suite.drop())
const { platform, run } = suite
const ada = await suite.as('ada', 'operator')
const boss = await suite.as('boss', 'operator')
const grace = await suite.as('grace', 'approver')

const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}
const artifact = await platform.services.objects.put(linearModel({ weights: [1, 2] }))
await run(recordObject, artifact)

async function model(name: string, tier: number): Promise<void> {
  await run(putModel, { model: name, spec: { owner: 'team', tier, task: 'regression' } })
}

async function version(name: string, more: object = {}, as: Actor = ada): Promise<string> {
  const input = { model: name, artifact: artifact.digest, signature, metrics: { auc: 0.7 }, ...more }
  return (await run(registerVersion, input, { as })).ref
}

const rule = (check: string) => ({ name: 'good_enough', check, message: 'It is not good enough' })
const policy = (name: string, spec: Parameters<typeof put>[1]) => put(name, spec)
const put = (name: string, spec: { rules: ReturnType<typeof rule>[] } & Record<string, unknown>) =>
  run(putPolicy, { policy: name, spec })

const problemOf = (attempt: Promise<unknown>): Promise<PaveError> =>
  attempt.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  )

describe('rules', () => {
  test('fail closed: on a number, on a metric that is missing, on a version without slices', async () => {
    await model('ruled', 4)
    const checks = {
      enough: 'version.metrics.auc >= 0.65',
      not_enough: 'version.metrics.auc > version.baseline.auc + 0.1',
      missing: 'version.metrics.f1 >= 0.0',
      no_slices: 'version.worst_slice.auc > 0.0',
    }
    const rules = Object.entries(checks).map(([name, check]) => ({ ...rule(check), name }))
    await policy('ruled', { appliesTo: { models: ['ruled'] }, rules })
    const ref = await version('ruled', { baseline: { name: 'naive', metrics: { auc: 0.64 } } })
    const gates = await run(evaluateGates, { version: ref })
    expect(gates.passed).toBe(false)
    expect(gates.rules.map((one) => [one.rule, one.passed, one.error === null])).toEqual([
      ['enough', true, true],
      ['not_enough', false, true],
      ['missing', false, false],
      ['no_slices', false, false],
    ])
    expect(gates.rules[1]?.values).toEqual({ 'version.metrics.auc': 0.7, 'version.baseline.auc': 0.64 })
    expect(gates.rules[2]?.values).toEqual({ 'version.metrics.f1': null })
  })

  test('are told of every version of a model, newest first', async () => {
    await model('many', 4)
    await policy('many', { appliesTo: { models: ['many'] }, rules: [rule('version.metrics.auc >= 0.65')] })
    for (const auc of [0.6, 0.7, 0.8]) await version('many', { metrics: { auc } })
    const first = await run(listGateStates, { model: 'many', limit: 2 })
    expect(first.items.map(({ version: ref, passed, rules }) => [ref, passed, rules])).toEqual([
      ['many@3', true, 1],
      ['many@2', true, 1],
    ])
    const rest = await run(listGateStates, { model: 'many', cursor: first.nextCursor ?? '' })
    expect(rest.items).toMatchObject([{ version: 'many@1', passed: false, failed: [{ policy: 'many' }] }])
  })

  test('the worst slice is the lowest over all', async () => {
    await model('sliced', 4)
    await policy('sliced', { appliesTo: { models: ['sliced'] }, rules: [rule('version.worst_slice.auc >= 0.6')] })
    const slices = [0.8, 0.55, 0.7].map((auc, i) => ({ slice: `s${i}`, rows: 10, metrics: { auc } }))
    const { rules } = await run(evaluateGates, { version: await version('sliced', { slices }) })
    expect(rules[0]).toMatchObject({ passed: false, values: { 'version.worst_slice.auc': 0.55 } })
  })

  test('refuse a release with the rule and its numbers', async () => {
    const ref = await version('ruled', { metrics: { auc: 0.5 } })
    const problem = await problemOf(run(startRelease, { version: ref }, { as: ada }))
    expect(problem.code).toBe('admission_denied')
    expect(problem.message).toContain('good enough')
    expect(problem.details?.reasons).toContainEqual(
      expect.objectContaining({ rule: 'enough', values: { 'version.metrics.auc': 0.5 } }),
    )
    expect(released).not.toContain(ref)
  })

  test.each([
    ['version.metrics.auc >=', 'rule_invalid'],
    ['version.metrics.auc', 'rule_invalid'],
    ['verzion.metrics.auc > 0.5', 'rule_invalid'],
    ['version.stranger > 0.5', 'rule_invalid'],
    ['', 'invalid_input'],
  ])('%j is refused when it is declared', async (check, code) => {
    expect(await problemOf(policy('wrong', { rules: [rule(check)] }))).toMatchObject({ code })
    await expect(run(getPolicy, { policy: 'wrong' })).rejects.toMatchObject({ code: 'policy_not_found' })
  })
})

describe('approvals', () => {
  const rules = [rule('version.metrics.auc >= 0.65')]

  test('are asked for by tier, the highest quorum of all policies that apply', async () => {
    await model('grave', 1)
    await model('light', 3)
    await policy('some', { appliesTo: { models: ['grave', 'light'] }, rules, approvals: [{ tiers: [1, 2] }] })
    await policy('more', {
      appliesTo: { models: ['grave'], tiers: [1] },
      rules,
      approvals: [{ tiers: [1], quorum: 2 }],
    })
    await policy('others', { appliesTo: { models: ['nobody'] }, rules, approvals: [{ tiers: [1], quorum: 9 }] })
    const quorum = async (name: string) => (await run(evaluateGates, { version: await version(name) })).approvals.quorum
    expect(await quorum('grave')).toBe(2)
    expect(await quorum('light')).toBe(0)
    expect(await run(startRelease, { version: 'light@1' }, { as: ada })).toEqual({ version: 'light@1' })
  })

  test('neither the author nor the requester may give one; another may, and then it is released', async () => {
    await model('shared', 2)
    await policy('shared', { appliesTo: { models: ['shared'] }, rules, approvals: [{ tiers: [2] }] })
    const ref = await version('shared', {}, ada)
    expect(await problemOf(run(startRelease, { version: ref }, { as: boss }))).toMatchObject({
      code: 'approval_required',
    })
    const [pending] = (await run(listPendingOperations, {})).items
    expect(pending).toMatchObject({ excluded: [ada.id, boss.id], evidence: { version: ref, tier: 2 }, quorum: 1 })
    const id = pending?.id ?? ''
    for (const as of [ada, boss]) {
      const asApprover = { ...as, grants: grace.grants }
      expect(await problemOf(run(approve, { pending: id }, { as: asApprover }))).toMatchObject({ status: 403 })
    }
    const { job } = await run(approve, { pending: id }, { as: grace })
    await suite.finished(job ?? '')
    expect(released).toContain(ref)
  })

  test('whoever has Pave ask on their behalf is a requester too', async () => {
    const ref = await version('shared', { metrics: { auc: 0.71 } }, ada)
    const system = {
      ...boss,
      kind: 'system' as const,
      id: platform.ids.next(),
      onBehalfOf: boss.id,
      grants: boss.grants,
    }
    await problemOf(run(startRelease, { version: ref }, { as: system }))
    const { items } = await run(listPendingOperations, {})
    expect(items.find((one) => one.evidence.version === ref)?.excluded).toContain(boss.id)
  })

  test.each([
    [
      'the policy changes',
      () =>
        policy('shared', {
          appliesTo: { models: ['shared'] },
          rules: [rule('version.metrics.auc >= 0.6')],
          approvals: [{ tiers: [2] }],
        }),
    ],
    ['the alias moves to another version', async () => run(setAlias, { model: 'shared', alias: 'next', version: 1 })],
  ])('lapse when %s', async (why, change) => {
    const ref = await version('shared', { note: why, metrics: { auc: 0.8, n: why.length } })
    await run(setAlias, { model: 'shared', alias: 'next', version: Number(ref.split('@')[1]) })
    const problem = await problemOf(run(startRelease, { version: 'shared@next' }, { as: ada }))
    const { pending } = z.object({ pending: z.object({ id: z.uuid() }) }).parse(problem.details)
    await change()
    const { job } = await run(approve, { pending: pending.id }, { as: grace })
    await expect(suite.finished(job ?? '')).rejects.toThrow('approval_lapsed')
    expect(released).not.toContain('shared@next')
  })
})

describe('evidence', () => {
  test('tells data, run, version, gates and approvals with names and places in the ledger', async () => {
    await model('shown', 2)
    await policy('shown', {
      appliesTo: { models: ['shown'] },
      rules: [rule('version.metrics.auc >= 0.65 || false')],
      approvals: [{ tiers: [2] }],
    })
    const ref = await version('shown', { datasets: ['flights@3'], run: platform.ids.next() }, ada)
    const problem = await problemOf(run(startRelease, { version: ref }, { as: ada }))
    const { pending } = z.object({ pending: z.object({ id: z.uuid() }) }).parse(problem.details)
    const { job } = await run(approve, { pending: pending.id, comment: 'a private remark' }, { as: grace })
    await suite.finished(job ?? '')
    const Releases = z.array(z.object({ outcome: z.string(), leaf: z.int().nullable() }))
    const { document, markdown, digest } = await until(suite, async () => {
      const evidence = await run(exportEvidence, { version: ref })
      // An entry has its place when everything older has ended.
      return Releases.parse(evidence.document.releases).every(({ leaf }) => leaf !== null) ? evidence : undefined
    })
    expect(document).toMatchObject({
      version: ref,
      digest,
      data: { datasetVersions: ['flights@3'] },
      model: { author: 'ada' },
      gates: [{ rule: 'good_enough', passed: true }],
    })
    const told = z.array(z.object({ operation: z.string(), by: z.string(), leaf: z.int().nullable() }))
    expect(told.parse(document.approvals)).toContainEqual(
      expect.objectContaining({ operation: 'approve', by: 'grace' }),
    )
    expect(Releases.parse(document.releases).map(({ outcome }) => outcome)).toEqual(['pending', 'done'])
    expect(markdown).toContain(`# Evidence for ${ref}`)
    expect(markdown).toContain('| approve | done | grace |')
    expect(JSON.stringify({ document, markdown })).not.toContain('private remark')
    for (const line of markdown.split('\n').filter((one) => one.startsWith('| shown'))) {
      expect(line.replaceAll('\\|', '').split('|')).toHaveLength(6)
    }
  })

  test('of a version that is not there is refused', async () => {
    await expect(run(exportEvidence, { version: 'shown@99' })).rejects.toMatchObject({ code: 'version_not_found' })
  })
})

test('policies are put whole, keep their digest when nothing changes, and are listed', async () => {
  const spec = { appliesTo: { models: ['nobody'] }, rules: [rule('true')] }
  const first = await policy('same', spec)
  expect(await policy('same', spec)).toEqual(first)
  expect(await run(getPolicy, { policy: 'same' })).toEqual(first)
  expect((await policy('same', { ...spec, description: 'changed' })).digest).not.toBe(first.digest)
  const { items, nextCursor } = await run(listPolicies, { limit: 2 })
  expect(
    [...items, ...(await run(listPolicies, { limit: 200, cursor: nextCursor ?? '' })).items].map((one) => one.policy),
  ).toContain('same')
})
