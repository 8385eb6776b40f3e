import { z } from 'zod'
import { computeFailure, type StepSpec } from './compute.ts'

const Name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'is not a name: letters, digits, `_` and `-`, a letter first')
const Path = z.string().min(1).refine(hasNoNul, 'holds a NUL')
/** Linux refuses a longer string in an environment (MAX_ARG_STRLEN is 128 KiB). */
const EnvironmentValue = z
  .string()
  .max(100_000, 'is longer than 100,000 characters: hand it over as an input')
  .refine(hasNoNul, 'holds a NUL')
const Megabytes = z.number().int().min(1).max(16_777_216)

const AttemptId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'is not an id: letters, digits, `_` and `-`')

const Spec = z.object({
  attemptId: AttemptId,
  workspace: z.string().min(1).max(200).refine(hasNoNul, 'holds a NUL'),
  command: z.union([z.string().trim().min(1), z.array(z.string()).min(1)]),
  inputs: z.record(Name, Path),
  outputs: z.array(Name).max(1000),
  params: z.record(Name, z.json()),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a name of a variable'), EnvironmentValue),
  resources: z.object({
    memoryMb: Megabytes,
    diskMb: Megabytes,
    processes: z.number().int().min(1).max(100_000),
    cpuSeconds: z.number().int().min(1).optional(),
  }),
  timeoutMs: z.number().int().min(1),
})

/** Where a step finds its things; the paths are those that it sees itself. */
export interface StepPaths {
  inputs: Record<string, string>
  outputs: Record<string, string>
  stepFile: string
  home: string
  temp: string
  environment: string | undefined
  authorities: string | undefined
}

/** Whether it may be a name of a directory. */
export function isAttemptId(text: string): boolean {
  return AttemptId.safeParse(text).success
}

/** Throws `invalid_step` with every problem at once. */
export function checkSpec(spec: StepSpec): void {
  const { code: _, ...rest } = spec
  const parsed = Spec.safeParse(rest)
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => ({ pointer: `/${issue.path.map(String).join('/')}`, message: issue.message }))
  for (const names of [Object.keys(spec.inputs), spec.outputs, Object.keys(spec.params)]) {
    const twins = names.filter((name, at) => names.findIndex((other) => variable(other) === variable(name)) !== at)
    problems.push(...twins.map((name) => ({ pointer: '/', message: `two names become ${variable(name)}` })))
  }
  const words = typeof spec.command === 'string' ? [spec.command] : spec.command
  if (!words.every(hasNoNul)) problems.push({ pointer: '/command', message: 'holds a NUL' })
  for (const [name, value] of Object.entries(spec.params)) {
    const long = EnvironmentValue.safeParse(parameterText(value)).error?.issues[0]?.message
    if (long !== undefined) problems.push({ pointer: `/params/${name}`, message: long })
  }
  if (problems.length === 0) return
  const told = problems.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')
  throw computeFailure('invalid_step', `The step cannot be run: ${told}`, { problems })
}

/** The whole environment of a step: nothing is inherited. What the contract promises cannot be overridden. */
export function stepEnvironment(spec: StepSpec, paths: StepPaths, searchPath: string): Record<string, string> {
  const { environment } = paths
  return {
    PATH: environment === undefined ? searchPath : `${environment}/bin:${searchPath}`,
    LANG: 'C.UTF-8',
    ...(paths.authorities !== undefined && trusting(paths.authorities)),
    ...spec.env,
    ...(environment !== undefined && { PAVE_ENVIRONMENT: environment }),
    HOME: paths.home,
    TMPDIR: paths.temp,
    PAVE_ATTEMPT_ID: spec.attemptId,
    PAVE_STEP_FILE: paths.stepFile,
    ...prefixed('PAVE_INPUT_', paths.inputs),
    ...prefixed('PAVE_OUTPUT_', paths.outputs),
    ...prefixed('PAVE_PARAM_', mapValues(spec.params, parameterText)),
  }
}

/** For OpenSSL and Python, for requests and thereby the mlflow client, for curl, and for Node. */
function trusting(file: string): Record<string, string> {
  return { SSL_CERT_FILE: file, REQUESTS_CA_BUNDLE: file, CURL_CA_BUNDLE: file, NODE_EXTRA_CA_CERTS: file }
}

/** What `PAVE_STEP_FILE` holds. */
export function stepFile(spec: StepSpec, paths: StepPaths): string {
  return `${JSON.stringify({ inputs: paths.inputs, outputs: paths.outputs, params: spec.params }, undefined, 2)}\n`
}

/** A text as it is, everything else as JSON. */
function parameterText(value: StepSpec['params'][string]): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + variable(name), value]))
}

function mapValues<T>(values: Readonly<Record<string, T>>, change: (value: T) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

function variable(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

function hasNoNul(text: string): boolean {
  return !text.includes('\0')
}
