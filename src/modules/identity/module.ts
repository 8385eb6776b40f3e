import { defineModule } from '#platform/module.ts'
import { authenticate, currentGrants } from './authenticate.ts'
import { bindRole } from './bind-role.ts'
import { closeSession } from './close-session.ts'
import { errors } from './contract.ts'
import { createPrincipal } from './create-principal.ts'
import { createSignInLink } from './create-sign-in-link.ts'
import { createToken } from './create-token.ts'
import { createWorkspace } from './create-workspace.ts'
import { getPrincipal } from './get-principal.ts'
import { issueRunToken } from './issue-run-token.ts'
import { listPrincipals } from './list-principals.ts'
import { listRoleBindings } from './list-role-bindings.ts'
import { listTokens } from './list-tokens.ts'
import { createIdentity } from './migrations/0001-create-identity.ts'
import { traceSessions } from './migrations/0002-trace-sessions.ts'
import { openSession } from './open-session.ts'
import { redeemSignInLink } from './redeem-sign-in-link.ts'
import { revokeToken } from './revoke-token.ts'
import { signInRoutes } from './routes.ts'
import { search } from './search.ts'
import { unbindRole } from './unbind-role.ts'
import { whoami } from './whoami.ts'

export const identity = defineModule({
  name: 'identity',
  handlers: [
    createWorkspace,
    whoami,
    createPrincipal,
    listPrincipals,
    getPrincipal,
    bindRole,
    unbindRole,
    listRoleBindings,
    createToken,
    listTokens,
    revokeToken,
    issueRunToken,
    createSignInLink,
    redeemSignInLink,
    openSession,
    closeSession,
  ],
  errors,
  search,
  migrations: { '0001-create-identity': createIdentity, '0002-trace-sessions': traceSessions },
  routes: signInRoutes,
  authenticate,
  currentGrants,
})
