import { z } from 'zod'
import { whoami } from '#modules/identity/contract.ts'
import { type Call, endpoint } from './endpoint.ts'
import { elsewhere, notFound } from './errors.ts'

const ByName = z.object({ workspace_name: z.string() })
const howToFound = 'A workspace of Pave is a tenant with people and tokens of its own'

/** A token is of one workspace: that is the list, and all others are as if they were not there. */
export const workspaces = [
  endpoint('GET', 'workspaces', z.object({}), async (call) => ({ workspaces: [{ name: await workspaceOf(call) }] })),
  endpoint('GET', 'workspaces/:workspace_name', ByName, async (call, { workspace_name }) => {
    await requireWorkspace(call, workspace_name)
    return { workspace: { name: workspace_name } }
  }),
  endpoint('POST', 'workspaces', z.object({}), () => {
    throw elsewhere(`${howToFound}; who runs the server founds them, and this API does not.`)
  }),
  endpoint('PATCH', 'workspaces/:workspace_name', ByName, async (call, { workspace_name }) => {
    await requireWorkspace(call, workspace_name)
    throw elsewhere(`${howToFound}; it has no description and no place for artifacts that could be changed.`)
  }),
  endpoint('DELETE', 'workspaces/:workspace_name', ByName, async (call, { workspace_name }) => {
    await requireWorkspace(call, workspace_name)
    throw elsewhere(`${howToFound}; nobody deletes one by this API.`)
  }),
]

/** Whether the workspace is another's or nobody's is not told. */
export async function requireWorkspace(call: Call, name: string): Promise<void> {
  if (name === (await workspaceOf(call))) return
  throw notFound(
    `Workspace '${name.slice(0, 100)}' not found. Your token is of another workspace: set MLFLOW_TRACKING_TOKEN to one of this workspace, or leave the workspace out.`,
  )
}

export async function workspaceOf(call: Call): Promise<string> {
  return (await call.run(whoami, {})).workspace.name
}
