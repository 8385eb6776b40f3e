/** What a step is given and what it owes, by names that the pipeline chooses. Paths are absolute. */
import { readFile } from 'node:fs/promises'

export type Step = {
  inputs: Record<string, string>
  outputs: Record<string, string>
  params: Record<string, string | number | boolean>
}

/** Runs the step that the file in `PAVE_STEP_FILE` describes; an error is printed without its stack and fails the step. */
export async function runStep(run: (step: Step) => Promise<void>): Promise<void> {
  try {
    const path = process.env['PAVE_STEP_FILE']
    if (path === undefined) throw new Error('PAVE_STEP_FILE is not set: start this file as a step of a pipeline.')
    await run(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

export function inputPath(step: Step, name: string): string {
  const path = step.inputs[name]
  if (path === undefined) throw new Error(`The step needs an input named "${name}".`)
  return path
}

export function outputPath(step: Step, name: string): string {
  const path = step.outputs[name]
  if (path === undefined) throw new Error(`The step needs an output named "${name}".`)
  return path
}

export function textParam(step: Step, name: string, fallback: string): string {
  return String(step.params[name] ?? fallback)
}

export function numberParam(step: Step, name: string, fallback: number): number {
  const given = step.params[name]
  if (given === undefined) return fallback
  const text = String(given)
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new Error(`The parameter "${name}" must be a number, not "${text}".`)
  }
  return value
}

/** Shows how far the step is; `share` runs from 0 to 1. */
export function showProgress(share: number, text: string): void {
  console.log(`::progress ${share.toFixed(2)} ${text}`)
}
