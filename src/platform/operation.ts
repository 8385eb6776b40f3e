import type { z } from 'zod'

/**
 * `read` changes nothing; `write` runs in one transaction with its ledger entry; `ingest` is bulk data whose ledger
 * entry stands for one sealed chunk.
 */
export type Effect = 'read' | 'write' | 'ingest'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A verb on an object: `release:start` on the object named by the input's `environment` and `endpoint`. */
export interface Permission {
  verb: string
  /** Input fields that name the object, outermost first. Empty: the workspace itself. */
  on: readonly string[]
}

/** A kind of object in the ledger and in lineage: `version`, `dataset-version`, `release`. */
export type SubjectKind = string

/** Declared once; routes, OpenAPI, client, command line, manifests, permission check and ledger entry follow from it. */
export interface OperationDeclaration<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** Kebab-case verb and noun, unique in Pave: the file that handles it and the CLI command bear this name. */
  name: string
  method: Method
  path: string
  summary: string
  effect: Effect
  permission: Permission | 'public' | 'authenticated'
  /** The admission point that is asked between authorization and handler. */
  admission?: string
  /** Kind under which `pave apply` puts this resource; only on an idempotent PUT of a whole resource. */
  manifest?: Manifest
  lineage?: { inputs?: readonly SubjectKind[]; outputs?: readonly SubjectKind[] }
  errors: readonly string[]
  input: I
  output: O
  /** A read of something sensitive leaves a ledger entry too. */
  recorded?: boolean
  /** Output fields shown once and never stored with an idempotent answer. */
  secrets?: readonly string[]
  /** Input fields that the digest in the ledger leaves out: who knows the rest could guess a weak secret from it. */
  secretInputs?: readonly string[]
  /** `ingest` only. */
  durability?: 'durable' | 'best-effort'
  /** Bytes; the default is 1 MiB. */
  bodyLimit?: number
  /** Answers 202: the output names a job to follow. */
  job?: boolean
}

/** How a resource appears in YAML: its kind, where its name goes, and how to read what is there now. */
export interface Manifest {
  kind: string
  /** Name of the operation that reads the current resource: the same input fields, output `{ spec, … }`. */
  read: string
  /** Kinds that must be put first. */
  after?: readonly string[]
}

export type Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> = Readonly<
  OperationDeclaration<I, O>
>

/** Declares an operation; refuses what could not be derived later. */
export function operation<I extends z.ZodType, O extends z.ZodType>(
  declaration: OperationDeclaration<I, O>,
): Operation<I, O> {
  const { name, method, path, effect, manifest } = declaration
  if (!/^[a-z]+(-[a-z0-9]+)*$/.test(name)) throw new TypeError(`Operation name ${name} is not kebab-case`)
  if (effect === 'read' && method !== 'GET' && method !== 'POST')
    throw new TypeError(`${name}: a read is a GET or POST`)
  if (effect !== 'read' && method === 'GET') throw new TypeError(`${name}: a GET changes nothing`)
  if (manifest && method !== 'PUT') throw new TypeError(`${name}: a manifest is put (${path})`)
  return Object.freeze(declaration)
}

export type InputOf<Op extends Operation> = z.output<Op['input']>
/** What a handler returns. */
export type OutputOf<Op extends Operation> = z.input<Op['output']>
/** What a caller gets: the same after the output's defaults. */
export type AnswerOf<Op extends Operation> = z.output<Op['output']>

/** The parameters that a path names: `/models/:model` → `model`. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/:([a-z][A-Za-z]*)/g)].map((match) => match[1] ?? '')
}
