import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { StepResult, StepSpec } from '#platform/compute/compute.ts'
import { recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import type { TestPlatform } from '#testing/platform.ts'
import { putModel, registerVersion, type TwinReport, type Version } from './contract.ts'

export const report: TwinReport = {
  flavor: 'sklearn',
  converter: 'skl2onnx 1.20.0',
  opset: 17,
  python: '3.11.7',
  packages: { onnx: '1.23.2' },
  samples: 261,
  origins: { example: 5, signature: 256 },
  output: 'score',
  maxAbsolute: 2e-5,
  maxRelative: 2e-5,
  difference: 2e-5,
  worst: { row: 3, model: 0.5, graph: 0.50002 },
  labels: null,
  columns: null,
}

/** What a process of a conversion does: its files, or how it ends otherwise. */
export type Play = { report: unknown; graph?: Uint8Array } | Partial<StepResult>

const ended: StepResult = {
  status: 'succeeded',
  exitCode: 0,
  signal: undefined,
  startedAt: undefined,
  endedAt: undefined,
  usage: { cpuMs: 0, maxRssMb: 0 },
  outputs: {},
  reason: '',
}

/** Plays the processes of conversions, which need Python and a package index; everything else is real. */
export function playConversions(test: TestPlatform) {
  const { compute } = test.platform.services
  const made = new Set<string>()
  const keys = new Map<string, string>()
  const stops = new Map<string, () => void>()
  const started: StepSpec[] = []
  const stage = {
    started,
    discarded: [] as string[],
    log: 'said something\n',
    environment: async (): Promise<Play> => ({}),
    conversion: async (): Promise<Play> => ({ report, graph: new Uint8Array(linearModel({ weights: [1, 2] })) }),
  }
  async function play(spec: StepSpec): Promise<StepResult> {
    const played = await (spec.environment?.access === 'make' ? stage.environment() : stage.conversion())
    if (!('report' in played)) return { ...ended, ...played }
    const paths = { report: join(test.dataDir, 'report.json'), graph: join(test.dataDir, 'graph.onnx') }
    await writeFile(paths.report, typeof played.report === 'string' ? played.report : JSON.stringify(played.report))
    await writeFile(paths.graph, played.graph ?? '')
    return { ...ended, outputs: paths }
  }
  vi.spyOn(compute, 'start').mockImplementation(async (spec) => {
    started.push(spec)
    const stopped = Promise.withResolvers<StepResult>()
    stops.set(spec.attemptId, () => stopped.resolve({ ...ended, status: 'cancelled', reason: 'It was cancelled.' }))
    if (spec.environment !== undefined) keys.set(spec.attemptId, spec.environment.key)
    return { attemptId: spec.attemptId, result: Promise.race([play(spec), stopped.promise]) }
  })
  vi.spyOn(compute, 'stop').mockImplementation(async (id) => stops.get(id)?.())
  vi.spyOn(compute, 'hasEnvironment').mockImplementation(async (_, key) => made.has(key))
  vi.spyOn(compute, 'keepEnvironment').mockImplementation(async (id) => void made.add(keys.get(id) ?? ''))
  vi.spyOn(compute, 'readLog').mockImplementation(async () => {
    const bytes = Buffer.from(stage.log)
    return { bytes, next: bytes.length, size: bytes.length, capped: false }
  })
  vi.spyOn(compute, 'discard').mockImplementation(async (id) => void stage.discarded.push(id))
  return stage
}

/** A version as the stock client registers a model of scikit-learn. */
export async function registerBareVersion(test: TestPlatform, model: string, more: object = {}): Promise<Version> {
  const keep = async (text: string) => {
    const stored = await test.platform.services.objects.put(text)
    await test.run(recordObject, stored)
    return stored
  }
  await test.run(putModel, { model, spec: { owner: 'team', tier: 3, task: 'regression' } })
  const described = await keep('flavors: {sklearn: {}}\n')
  const needs = await keep(`mlflow==3.17.2\n# of ${model}\n`)
  const files = await keep(
    JSON.stringify([
      { path: 'MLmodel', ...described },
      { path: 'requirements.txt', ...needs },
    ]),
  )
  return test.run(registerVersion, { model, files: files.digest, flavors: ['python_function', 'sklearn'], ...more })
}
