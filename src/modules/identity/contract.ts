import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Instant, listInput, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

export const Role = z.enum(['viewer', 'contributor', 'approver', 'operator', 'admin', 'node'])
export type Role = z.infer<typeof Role>

/** Where a role holds: everything in the workspace, one environment, or one named object in it. */
export const Scope = z.record(z.enum(['environment', 'endpoint', 'model', 'dataset', 'pipeline']), Name)
export const PartialScope = z.partialRecord(
  z.enum(['environment', 'endpoint', 'model', 'dataset', 'pipeline']),
  z.string().max(100),
)

export const PrincipalKind = z.enum(['user', 'service-account', 'node'])

export const Principal = z.object({ id: z.uuid(), kind: PrincipalKind, name: Name, createdAt: Instant })

export const RoleBinding = z.object({ id: z.uuid(), principal: Name, role: Role, scope: PartialScope })

/** A principal with the roles that it has. */
export const Member = Principal.extend({ roles: z.array(RoleBinding.omit({ principal: true })) })
export type Member = z.infer<typeof Member>

export const Token = z.object({
  id: z.uuid(),
  name: z.string(),
  principal: Name,
  createdAt: Instant,
  expiresAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
  /** Endpoints that it may ask for predictions, as `environment/endpoint` or `*`. */
  endpoints: z.array(z.string()),
  /** A session of the console rather than a token that somebody keeps. */
  session: z.boolean(),
})
export type Token = z.infer<typeof Token>

const NewToken = z.object({ id: z.uuid(), token: z.string(), expiresAt: Instant.nullable() })

export const createWorkspace = operation({
  name: 'create-workspace',
  method: 'POST',
  path: '/api/v1/workspaces',
  summary: 'Found a workspace: the tenant that every object belongs to',
  effect: 'write',
  permission: { verb: 'workspace:create', on: [] },
  errors: ['workspace_exists'],
  input: z.object({ name: Name }),
  output: z.object({ id: z.uuid(), name: Name }),
})

export const whoami = operation({
  name: 'whoami',
  method: 'GET',
  path: '/api/v1/whoami',
  summary: 'Say who the token speaks for, and what it may do',
  effect: 'read',
  permission: 'authenticated',
  errors: [],
  input: z.object({}),
  output: z.object({
    id: z.uuid(),
    kind: z.string(),
    name: z.string(),
    workspace: z.object({ id: z.uuid(), name: z.string() }),
    grants: z.array(z.object({ verbs: z.array(z.string()), scope: PartialScope })),
  }),
})

export const createPrincipal = operation({
  name: 'create-principal',
  method: 'POST',
  path: '/api/v1/principals',
  summary: 'Add a user, a service account or an inference node',
  effect: 'write',
  permission: { verb: 'user:create', on: [] },
  errors: ['principal_exists'],
  input: z.object({
    kind: PrincipalKind.default('user'),
    name: Name,
    role: Role.optional(),
    scope: PartialScope.default({}),
  }),
  output: Principal,
})

export const listPrincipals = operation({
  name: 'list-principals',
  method: 'GET',
  path: '/api/v1/principals',
  summary: 'List users, service accounts and nodes with their roles',
  effect: 'read',
  permission: { verb: 'user:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, kind: PrincipalKind.optional(), search: z.string().max(200).optional() }),
  output: pageOf(Member),
})

export const getPrincipal = operation({
  name: 'get-principal',
  method: 'GET',
  path: '/api/v1/principals/:principal',
  summary: 'Say whose id this is',
  effect: 'read',
  permission: { verb: 'user:read', on: [] },
  errors: ['principal_not_found'],
  input: z.object({ principal: z.uuid() }),
  output: Principal,
})

export const bindRole = operation({
  name: 'bind-role',
  method: 'POST',
  path: '/api/v1/role-bindings',
  summary: 'Give a principal a role in a scope',
  effect: 'write',
  permission: { verb: 'role:bind', on: [] },
  errors: ['principal_not_found'],
  input: z.object({ principal: Name, role: Role, scope: PartialScope.default({}) }),
  output: RoleBinding,
})

export const unbindRole = operation({
  name: 'unbind-role',
  method: 'DELETE',
  path: '/api/v1/role-bindings/:binding',
  summary: 'Take a role back',
  effect: 'write',
  permission: { verb: 'role:bind', on: [] },
  errors: ['role_binding_not_found'],
  input: z.object({ binding: z.uuid() }),
  output: z.object({ removed: z.literal(true) }),
})

export const listRoleBindings = operation({
  name: 'list-role-bindings',
  method: 'GET',
  path: '/api/v1/role-bindings',
  summary: 'List who has which role where',
  effect: 'read',
  permission: { verb: 'role:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, principal: Name.optional() }),
  output: pageOf(RoleBinding),
})

export const createToken = operation({
  name: 'create-token',
  method: 'POST',
  path: '/api/v1/tokens',
  summary: 'Make an API token; it is shown once',
  effect: 'write',
  permission: { verb: 'token:create', on: [] },
  errors: ['principal_not_found'],
  secrets: ['token'],
  input: z.object({
    principal: Name,
    name: z.string().min(1).max(100),
    /** Seconds until it expires; null means never. */
    expiresIn: z
      .int()
      .min(1)
      .max(10 * 365 * 86_400)
      .nullable()
      .default(90 * 86_400),
    endpoints: z
      .array(z.string().max(210))
      .max(100)
      .default([])
      .describe('Endpoints that it may ask for predictions: environment/endpoint, or *'),
  }),
  output: NewToken,
})

export const listTokens = operation({
  name: 'list-tokens',
  method: 'GET',
  path: '/api/v1/tokens',
  summary: 'List API tokens, without their secrets, newest first',
  effect: 'read',
  permission: { verb: 'token:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    principal: Name.optional(),
    sessions: z.boolean().default(true).describe('With the sessions of the console'),
    valid: z.boolean().default(false).describe('Only those that are good now'),
    ended: z.boolean().default(false).describe('Only those that have expired or were revoked'),
    search: z.string().max(200).optional().describe('Part of its name or of its principal'),
  }),
  output: pageOf(Token),
})

export const revokeToken = operation({
  name: 'revoke-token',
  method: 'POST',
  path: '/api/v1/tokens/:token/revoke',
  summary: 'Revoke a token at once',
  effect: 'write',
  permission: { verb: 'token:revoke', on: [] },
  errors: ['token_not_found'],
  input: z.object({ token: z.uuid() }),
  output: z.object({ revokedAt: Instant }),
})

export const issueRunToken = operation({
  name: 'issue-run-token',
  method: 'POST',
  path: '/api/v1/run-tokens',
  summary: 'Make a short-lived token for the steps of a run, acting for whoever started it',
  effect: 'write',
  permission: { verb: 'run:start', on: [] },
  errors: [],
  secrets: ['token'],
  input: z.object({
    run: z.uuid(),
    principal: z.uuid(),
    expiresIn: z
      .int()
      .min(60)
      .max(7 * 86_400)
      .default(86_400),
  }),
  output: NewToken,
})

export const createSignInLink = operation({
  name: 'create-sign-in-link',
  method: 'POST',
  path: '/api/v1/sign-in-links',
  summary: 'Make a one-time link that signs a user in to the console; it works once, for ten minutes',
  effect: 'write',
  permission: { verb: 'token:create', on: [] },
  errors: ['principal_not_found'],
  secrets: ['code'],
  input: z.object({ principal: Name }),
  output: z.object({ code: z.string(), expiresAt: Instant }),
})

export const redeemSignInLink = operation({
  name: 'redeem-sign-in-link',
  method: 'POST',
  path: '/api/v1/sign-in-links/redeem',
  summary: 'Trade the code of a sign-in link for a session of twelve hours',
  effect: 'write',
  permission: { verb: 'token:redeem', on: [] },
  errors: ['sign_in_link_invalid'],
  secrets: ['token'],
  input: z.object({ code: z.string().max(200) }),
  output: NewToken,
})

export const openSession = operation({
  name: 'open-session',
  method: 'POST',
  path: '/api/v1/session',
  summary: 'Open a console session with an API token: for twelve hours, or until the token expires or is revoked',
  effect: 'write',
  permission: 'authenticated',
  errors: ['session_refused'],
  secrets: ['token'],
  input: z.object({}),
  output: NewToken,
})

export const closeSession = operation({
  name: 'close-session',
  method: 'DELETE',
  path: '/api/v1/session',
  summary: 'End the console session that asks',
  effect: 'write',
  permission: 'authenticated',
  errors: [],
  input: z.object({}),
  output: z.object({ closed: z.boolean() }),
})

export const errors = defineErrors({
  workspace_exists: { status: 409, summary: 'A workspace has this name.', hint: 'Choose another name.' },
  principal_exists: {
    status: 409,
    summary: 'A user, service account or node has this name.',
    hint: 'Choose another name, or list what exists with `pave list-principals`.',
  },
  principal_not_found: {
    status: 404,
    summary: 'No user, service account or node has this name.',
    hint: 'List them with `pave list-principals`, or add one with `pave create-principal`.',
  },
  role_binding_not_found: {
    status: 404,
    summary: 'No such role binding.',
    hint: 'List them with `pave list-role-bindings`.',
  },
  token_not_found: { status: 404, summary: 'No such token.', hint: 'List them with `pave list-tokens`.' },
  sign_in_link_invalid: {
    status: 401,
    summary: 'The sign-in link is unknown, used or expired.',
    hint: 'Make a fresh one with `pave create-sign-in-link`.',
  },
  token_unknown: {
    status: 401,
    summary: 'The API token is unknown, expired or revoked.',
    hint: 'An administrator makes a fresh one with `pave create-token`.',
  },
  session_refused: {
    status: 403,
    summary: 'This token may not open a session of the console.',
    hint: 'Sign in with a sign-in link, or with a token that is your own.',
  },
  too_many_sign_ins: {
    status: 429,
    summary: 'Too many attempts to sign in came from this address.',
    hint: 'Wait a minute and try again.',
  },
})
