import { failure } from '#platform/errors.ts'
import { errors } from './contract.ts'

/** Something that a template or an input takes from elsewhere. */
export type Reference =
  | { kind: 'param'; name: string }
  | { kind: 'run'; field: 'id' }
  | { kind: 'pipeline'; field: 'name' | 'code' }
  | { kind: 'result'; step: string; path: string[] }
  | { kind: 'output'; step: string; output: string }

/** A reference with its place inside the templated value, as a JSON pointer; undefined when its text means nothing. */
interface PlacedReference {
  text: string
  pointer: string
  reference: Reference | undefined
}

/** What references are looked up in. */
export interface TemplateScope {
  params: Readonly<Record<string, unknown>>
  run: { id: string }
  pipeline: { name: string; code: string | null }
  result(step: string): unknown
  digest(step: string, output: string): string | undefined
  json(digest: string): Promise<unknown>
}

export function parseReference(text: string): Reference | undefined {
  const [root = '', first = '', second = '', ...path] = text.trim().split('.')
  if (root === 'steps' && first !== '' && second === 'result') return { kind: 'result', step: first, path }
  if (path.length > 0) return undefined
  if (root === 'steps' && first !== '' && second !== '') return { kind: 'output', step: first, output: second }
  if (second !== '') return undefined
  if (root === 'params' && first !== '') return { kind: 'param', name: first }
  if (root === 'run' && first === 'id') return { kind: 'run', field: first }
  if (root === 'pipeline' && (first === 'name' || first === 'code')) return { kind: 'pipeline', field: first }
  return undefined
}

/** Every reference in a templated value. */
export function referencesIn(value: unknown, pointer = ''): PlacedReference[] {
  if (typeof value === 'string') {
    return [...value.matchAll(template)].map((match) => placed(match[1] ?? '', pointer))
  }
  if (Array.isArray(value)) return value.flatMap((member, index) => referencesIn(member, `${pointer}/${index}`))
  const special = specialOf(value)
  if (special !== undefined) {
    const { reference } = placed(special.ref, pointer)
    return [{ text: special.ref, pointer, reference: reference?.kind === 'output' ? reference : undefined }]
  }
  return Object.entries(Object(value)).flatMap(([name, member]) => referencesIn(member, `${pointer}/${name}`))
}

/**
 * The value with everything filled in. A template that is a whole text keeps the type of what it names.
 *
 * @throws `reference_unresolved`
 */
export async function fillTemplates(value: unknown, scope: TemplateScope): Promise<unknown> {
  if (typeof value === 'string') return fillText(value, scope)
  if (Array.isArray(value)) return Promise.all(value.map((member) => fillTemplates(member, scope)))
  if (typeof value !== 'object' || value === null) return value
  const special = specialOf(value)
  if (special !== undefined) {
    const digest = lookUp(special.ref, scope)
    if (special.kind === '$digest') return digest
    return descend(await scope.json(String(digest)), special.path, special.ref)
  }
  const members = Object.entries(value).map(async ([name, member]) => [name, await fillTemplates(member, scope)])
  return Object.fromEntries(await Promise.all(members))
}

const template = /\$\{([^{}]*)\}/g
const wholeTemplate = /^\$\{([^{}]*)\}$/

function fillText(text: string, scope: TemplateScope): unknown {
  const whole = wholeTemplate.exec(text)
  if (whole !== null) return lookUp(whole[1] ?? '', scope)
  return text.replaceAll(template, (_, inside: string) => {
    const found = lookUp(inside, scope)
    return typeof found === 'string' ? found : JSON.stringify(found)
  })
}

function lookUp(text: string, scope: TemplateScope): unknown {
  const reference = parseReference(text)
  if (reference?.kind === 'result') return descend(scope.result(reference.step), reference.path, text)
  const found = reference && findValue(reference, scope)
  if (found === undefined || found === null) throw unresolved(`\${${text}} names nothing`)
  return found
}

function findValue(reference: Exclude<Reference, { kind: 'result' }>, scope: TemplateScope): unknown {
  if (reference.kind === 'param') return scope.params[reference.name]
  if (reference.kind === 'run') return scope.run.id
  if (reference.kind === 'pipeline') return scope.pipeline[reference.field]
  return scope.digest(reference.step, reference.output)
}

function descend(value: unknown, path: readonly string[], text: string): unknown {
  let current = value
  for (const name of path) {
    const members = new Map<string, unknown>(Object.entries(Object(current)))
    if (!members.has(name)) {
      const known = [...members.keys()].slice(0, 20).join(', ')
      throw unresolved(`${text}: there is no ${name}${known === '' ? '' : ` among ${known}`}`)
    }
    current = members.get(name)
  }
  return current
}

/** `{$digest: ref}` or `{$json: ref, path: a.b}`. */
function specialOf(value: unknown): { kind: '$digest' | '$json'; ref: string; path: string[] } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const members = new Map<string, unknown>(Object.entries(value))
  for (const kind of ['$digest', '$json'] as const) {
    const ref = members.get(kind)
    if (typeof ref !== 'string') continue
    const path = members.get('path')
    return { kind, ref, path: typeof path === 'string' && path !== '' ? path.split('.') : [] }
  }
  return undefined
}

function placed(text: string, pointer: string): PlacedReference {
  return { text, pointer, reference: parseReference(text) }
}

const pipelinesFailure = failure(errors)

function unresolved(message: string): Error {
  return pipelinesFailure('reference_unresolved', message)
}
