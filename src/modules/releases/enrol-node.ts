import { readFile } from 'node:fs/promises'
import { createPrincipal, createToken } from '#modules/identity/contract.ts'
import { nodeStanding } from '#modules/identity/queries.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { takeJoinToken } from './join-tokens.ts'
import { planKey } from './plan-key.ts'
import { releasesFailure } from './tables.ts'

/** The node may do what nodes do in the token's environment, and nothing anywhere else. */
export const enrolNode = handle(contract.enrolNode, async (ctx, { secret, node }) => {
  const { id, environment } = await takeJoinToken(ctx.db, secret, ctx.clock.iso())
  await requireFreeName(ctx, node, environment)
  const { token } = await ctx.callAsSystem(createToken, {
    principal: node,
    name: `node of ${environment}`,
    expiresIn: null,
  })
  ctx.entry.subject('node', node)
  ctx.entry.subject('join-token', id)
  ctx.entry.facts({ environment })
  const { config } = ctx.services
  return {
    node,
    workspace: ctx.workspace,
    environment,
    token,
    planPublicKey: planKey(config.dataDir).publicKey,
    authority: await authorityOf(ctx),
    onlineUrl: sharedUrl(config.onlineUrl),
  }
})

/** A node that has no valid token left, because it lost its own or was shut out, may come back under its name. */
async function requireFreeName(ctx: OperationContext, node: string, environment: string): Promise<void> {
  const known = await nodeStanding(ctx.db, node, ctx.clock.iso())
  if (known === undefined) {
    await ctx.callAsSystem(createPrincipal, { kind: 'node', name: node, role: 'node', scope: { environment } })
    return
  }
  const same = known.kind === 'node' && known.environments.length === 1 && known.environments[0] === environment
  if (same && known.validTokens === 0) return
  throw releasesFailure('node_name_taken', `Another node, or somebody else, is called ${node}`)
}

/** What a node must trust to recognize this control plane, beside the usual authorities. */
async function authorityOf(ctx: OperationContext): Promise<string | null> {
  const { config, tls } = ctx.services
  const root = tls?.chain().at(-1)
  if (root?.checkIssued(root)) return root.toString()
  return config.caFile === undefined ? null : readFile(config.caFile, 'utf8')
}

/** A store that a server speaks for; the others are files of one machine. */
function sharedUrl(url: string | undefined): string | null {
  return url !== undefined && /^rediss?:/.test(url) ? url : null
}
