import type { Grant } from '#platform/actor.ts'
import type { Role } from './contract.ts'

const objects = (names: string[]) => names.map((name) => `${name}:*`)

const viewer = ['*:read']
const contributor = [
  ...viewer,
  ...objects(['dataset', 'feature', 'experiment', 'run', 'model', 'version', 'pipeline', 'object', 'label']),
  ...objects(['trace', 'assessment', 'evaluation-dataset', 'scorer']),
  'folder:rename',
]
const operator = [
  ...contributor,
  ...objects(['endpoint', 'release', 'monitor', 'incident', 'job', 'policy', 'webhook']),
]

/** What each role may do. Approving is nobody's by accident: only an approver's and an admin's. */
const verbs: Record<Role, readonly string[]> = {
  viewer,
  contributor,
  approver: [...viewer, 'approval:decide'],
  operator,
  admin: ['*'],
  node: ['node:serve', 'object:read', 'prediction:record'],
}

export function grantOf(role: Role, scope: Readonly<Record<string, string>>): Grant {
  return { verbs: verbs[role], scope }
}
