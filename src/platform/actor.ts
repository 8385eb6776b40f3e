import type { Permission } from './operation.ts'

/** Who acts. Names are for people to read and never reach the ledger, which holds ids. */
export interface Actor {
  kind: 'user' | 'service-account' | 'system' | 'node'
  id: string
  name: string
  workspace: string
  grants: readonly Grant[]
  /** The token used, so that it can be revoked and traced. */
  token?: string
  /** On whose behalf a run's or a job's token acts. */
  onBehalfOf?: string
}

/** A set of verbs inside a scope: `{}` is the workspace, `{environment: 'prod'}` all in it, and so on inwards. */
export interface Grant {
  /** `release:start`, `release:*`, `*:read` or `*`. */
  verbs: readonly string[]
  scope: Readonly<Record<string, string>>
}

const systemId = '00000000-0000-7000-8000-000000000001'

/** Pave itself, acting in a workspace: subscribers, monitors, rollout steps. */
export function systemActor(workspace: string, name = 'pave'): Actor {
  return { kind: 'system', id: systemId, name, workspace, grants: [{ verbs: ['*'], scope: {} }] }
}

/** Whoever came without a token, to the few operations that are public. */
export const nobody: Actor = {
  kind: 'user',
  id: '00000000-0000-7000-8000-000000000000',
  name: 'nobody',
  workspace: '00000000-0000-7000-8000-000000000000',
  grants: [],
}

/** The object that a permission speaks of, taken from the input's fields. */
export function objectOf(permission: Permission, input: unknown): Record<string, string> {
  const object: Record<string, string> = {}
  if (typeof input !== 'object' || input === null) return object
  const fields = new Map<string, unknown>(Object.entries(input))
  for (const field of permission.on) {
    const value = fields.get(field)
    if (typeof value === 'string') object[field] = value
  }
  return object
}

/** Default deny: some grant must hold the verb and cover the object. */
export function allows(grants: readonly Grant[], verb: string, object: Readonly<Record<string, string>>): boolean {
  return grants.some(
    (grant) =>
      grant.verbs.some((pattern) => matchesVerb(pattern, verb)) &&
      Object.entries(grant.scope).every(([kind, name]) => object[kind] === name),
  )
}

/** Whether what the actor says of a node is the node's own word. */
export function speaksForNode(actor: Actor, node: string): boolean {
  return actor.kind === 'system' || actor.name === node
}

function matchesVerb(pattern: string, verb: string): boolean {
  if (pattern === '*' || pattern === verb) return true
  const [object, action] = pattern.split(':')
  const [wantedObject, wantedAction] = verb.split(':')
  return (object === '*' || object === wantedObject) && (action === '*' || action === wantedAction)
}
