import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

async function pipeline(path: string) {
  const { spec } = parse(await readFile(new URL(path, import.meta.url), 'utf8'))
  const { python: _, model: __, ...params } = spec.params
  const own = ['python', 'train', 'evaluate']
  return { params, steps: spec.steps.filter((step: { name: string }) => !own.includes(step.name)) }
}

test('differs from the pipeline in TypeScript by the steps that train and evaluate alone', async () => {
  expect(await pipeline('pipeline.yaml')).toEqual(await pipeline('../flight-delays/pipeline.yaml'))
})
