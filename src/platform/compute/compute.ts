import { defineErrors, failure } from '../errors.ts'

/** How far a step is kept from Pave, from PostgreSQL and from the steps of other workspaces. */
export interface Isolation {
  /**
   * `uid`: each workspace has its own uid. `user_namespace`: the step sees neither Pave's files nor its processes.
   * `none`: a step can do whatever Pave can, so that a second workspace must be refused. `remote`: it runs on another machine.
   */
  kind: 'uid' | 'user_namespace' | 'remote' | 'none'
  /** One sentence for people: what was found, and what would give more. */
  detail: string
}

export interface StepResources {
  /** Of all its processes together. */
  memoryMb: number
  /** What it may write below its working directory, and the size of any one file. */
  diskMb: number
  processes: number
  cpuSeconds?: number
}

type ParameterValue = string | number | boolean | null | readonly ParameterValue[] | { [name: string]: ParameterValue }

/** One attempt at a step. Names of inputs, outputs and parameters match `[A-Za-z][A-Za-z0-9_-]*`. */
export interface StepSpec {
  /** The idempotency key: starting it again follows what was started. */
  attemptId: string
  workspace: string
  /** An argument vector, or one line for `sh -c`. */
  command: readonly string[] | string
  /** Becomes the working directory: a directory to copy, or the bytes of a bundle (see bundle.ts). */
  code: { directory: string } | { bundle: Uint8Array }
  /** Name to the path of a file or directory on this machine; the step gets it read-only. */
  inputs: Readonly<Record<string, string>>
  /** Each must exist, as a file or a directory, when the step ends. */
  outputs: readonly string[]
  params: Readonly<Record<string, ParameterValue>>
  /** Added to the clean environment of the step. */
  env: Readonly<Record<string, string>>
  /**
   * A directory that the step finds in `PAVE_ENVIRONMENT`, its `bin` first in the PATH: to fill, or to use as an earlier
   * attempt of the workspace has filled it. The key names what it holds.
   */
  environment?: { key: string; access: 'make' | 'use' }
  resources: StepResources
  timeoutMs: number
}

export type StepStatus =
  | 'succeeded'
  | 'failed'
  | 'timed_out'
  | 'cancelled'
  | 'out_of_memory'
  | 'out_of_disk'
  /** Its end was not seen: the machine restarted, or somebody killed its supervisor. */
  | 'lost'

export interface StepResult {
  status: StepStatus
  exitCode: number | undefined
  /** `SIGTERM` and the like; codes above 128 are read as a death by signal, as shells do. */
  signal: string | undefined
  /** ISO 8601; undefined when it never began. */
  startedAt: string | undefined
  endedAt: string | undefined
  /** `maxRssMb` is the largest sum seen while looking; 0 when it ended before the first look. */
  usage: { cpuMs: number; maxRssMb: number }
  /** Name to path; filled only when it succeeded. The paths hold until `discard`. */
  outputs: Record<string, string>
  /** One sentence for people. */
  reason: string
}

export interface Attempt {
  attemptId: string
  /** Settles once. Rejects only with `compute_closed`: the attempt goes on, and can be adopted. */
  result: Promise<StepResult>
}

/** Where steps run. Attempts outlive the process that started them. */
export interface Compute {
  isolation: Isolation
  /** Throws `invalid_step`, `invalid_bundle`, `environment_missing`, `compute_unavailable`, `disk_full`. */
  start(spec: StepSpec): Promise<Attempt>
  /** Follows an attempt that another process started, or reads how it ended. Throws `attempt_not_found`. */
  adopt(attemptId: string): Promise<Attempt>
  /** Every attempt not yet discarded, by id. */
  list(): Promise<{ attemptId: string; running: boolean }[]>
  /** Ends it as `cancelled`, politely first; answers when it has ended. One that ended already stays as it is. */
  stop(attemptId: string): Promise<void>
  /** What it printed from byte `offset` on, at most `limit` of `size` bytes; `capped` when more was printed than is kept. */
  readLog(
    attemptId: string,
    range?: { offset?: number; limit?: number },
  ): Promise<{ bytes: Buffer; next: number; size: number; capped: boolean }>
  /** Whether an environment can be used here. */
  hasEnvironment(workspace: string, key: string): Promise<boolean>
  /** Lets others use the environment that an attempt made; from now on nobody can change it. */
  keepEnvironment(attemptId: string): Promise<void>
  /** Removes the files of an attempt that has ended. Of an unknown one: nothing. */
  discard(attemptId: string): Promise<void>
  /** Stops following; the attempts go on. */
  close(): Promise<void>
}

export const computeErrors = defineErrors({
  invalid_step: {
    status: 422,
    summary: 'The step cannot be run as declared.',
    hint: 'Mend what the message names: command, names of inputs, outputs and parameters, or limits.',
  },
  invalid_bundle: {
    status: 422,
    summary: 'The code bundle cannot be packed or unpacked.',
    hint: 'Bundle plain files below one directory; links, absolute paths and `..` are refused.',
  },
  environment_missing: {
    status: 409,
    summary: 'The environment of the step is not on this machine.',
    hint: 'Run the pipeline again: the step that makes the environment then makes it here.',
  },
  attempt_not_found: {
    status: 404,
    summary: 'This compute knows no such attempt.',
    hint: 'It was discarded, or started on another machine: start a new attempt.',
  },
  compute_unavailable: {
    status: 501,
    summary: 'Local compute needs Linux.',
    hint: 'Run Pave on Linux, or in a Linux container.',
  },
  compute_closed: {
    status: 503,
    summary: 'Pave stopped following the attempt, which goes on.',
    hint: 'It is adopted when Pave starts again.',
  },
})

export const computeFailure = failure(computeErrors)
