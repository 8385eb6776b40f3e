import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'

export const getVersion = handle(contract.getVersion, (ctx, { version }) => resolveVersion(ctx.db, version))
