import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createPrincipal,
  createSignInLink,
  createToken,
  createWorkspace,
  revokeToken,
} from '#modules/identity/contract.ts'
import { listWorkspaces, principalExists, validTokens } from '#modules/identity/queries.ts'
import { systemActor } from '#platform/actor.ts'
import type { Platform } from '#platform/platform.ts'

/** How commands on this machine reach the control plane; the file is readable by its owner alone. */
export interface ClientFile {
  url: string
  inferenceUrl: string
  token: string
  /** File of the authorities that both are recognized by, beside the usual ones. */
  ca?: string | undefined
}

const adminName = 'admin'

/** What is founded once is founded by one process at a time, and found by the next. */
export async function inTurn<T>({ systemPool }: Platform, work: () => Promise<T>): Promise<T> {
  const client = await systemPool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [foundingLock])
    return await work()
  } finally {
    await client.query('select pg_advisory_unlock($1)', [foundingLock]).catch(() => {})
    client.release()
  }
}

const foundingLock = 7_283_005

/** The first start founds a workspace with an administrator; later ones find it. Answers the workspace's id. */
export async function ensureWorkspace(platform: Platform, name = 'default'): Promise<string> {
  const [first] = await listWorkspaces(platform)
  const id = first?.id ?? platform.ids.next()
  const actor = systemActor(id)
  if (first === undefined) await platform.run(createWorkspace, { actor, input: { name } })
  // A crash may have come between the two.
  if (!(await platform.read(id, (db) => principalExists(db, adminName)))) {
    await platform.run(createPrincipal, { actor, input: { name: adminName, role: 'admin' } })
  }
  return id
}

/** Where the administrator's client settings are. */
const clientFile = (dataDir: string): string => join(dataDir, 'client.json')

export async function readClientFile(dataDir: string): Promise<ClientFile | undefined> {
  const text = await readFile(clientFile(dataDir), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Half-written by a machine that lost power: as good as none.
    return undefined
  }
}

/** Keeps the administrator's token of earlier starts while it is good, and makes one when it is not. */
export async function ensureClientFile(
  platform: Platform,
  workspace: string,
  dataDir: string,
  urls: Omit<ClientFile, 'token'>,
): Promise<ClientFile> {
  const known = await readClientFile(dataDir)
  const actor = known === undefined ? undefined : await platform.authenticate(known.token)
  const token =
    known !== undefined && actor !== undefined
      ? known.token
      : (
          await platform.run(createToken, {
            actor: systemActor(workspace),
            input: { principal: adminName, name: 'this machine', expiresIn: null, endpoints: ['*'] },
          })
        ).token
  const settings = { ...urls, token }
  await writeFile(`${clientFile(dataDir)}.new`, JSON.stringify(settings, null, 2), { mode: 0o600 })
  await rename(`${clientFile(dataDir)}.new`, clientFile(dataDir))
  return settings
}

export async function signInLink(platform: Platform, workspace: string, url: string): Promise<string> {
  const { code } = await platform.run(createSignInLink, {
    actor: systemActor(workspace),
    input: { principal: adminName },
  })
  return `${url}/sign-in#${code}`
}

const nodeTokenName = 'started by pave up'

/**
 * The token of an inference node that this process starts. The one of earlier starts is kept while it is good, so that a
 * node which outlived a crash goes on with it; otherwise a fresh one replaces all others.
 */
export async function ensureNodeToken(
  platform: Platform,
  workspace: string,
  dataDir: string,
  name: string,
): Promise<string> {
  const file = join(dataDir, 'keys', `${name}.token`)
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known !== undefined && (await platform.authenticate(known)) !== undefined) return known
  const actor = systemActor(workspace)
  if (!(await platform.read(workspace, (db) => principalExists(db, name)))) {
    await platform.run(createPrincipal, { actor, input: { kind: 'node', name, role: 'node' } })
  }
  for (const token of await platform.read(workspace, (db) => validTokens(db, name, nodeTokenName))) {
    await platform.run(revokeToken, { actor, input: { token } })
  }
  const { token } = await platform.run(createToken, {
    actor,
    input: { principal: name, name: nodeTokenName, expiresIn: null },
  })
  await writeFile(`${file}.new`, token, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return token
}
