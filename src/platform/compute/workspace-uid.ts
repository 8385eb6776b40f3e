import { createHash } from 'node:crypto'
import { mkdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { firstUid } from './launcher.ts'

const uids = 60_000

/**
 * The uid of a workspace, the same for ever: a hash chooses it, and the next free one is taken where another workspace was
 * there first. The table is a directory of links named by uid that point to names, because making a link is atomic.
 */
export async function workspaceUid(table: string, workspace: string): Promise<number> {
  await mkdir(table, { recursive: true, mode: 0o700 })
  const start = createHash('sha256').update(workspace).digest().readUInt32BE() % uids
  for (let probe = 0; probe < uids; probe++) {
    const uid = firstUid + 1 + ((start + probe) % uids)
    const owner = await claim(join(table, String(uid)), workspace)
    if (owner === workspace) return uid
  }
  throw new Error(`All ${uids} uids of ${table} belong to workspaces`)
}

async function claim(link: string, workspace: string): Promise<string> {
  try {
    await symlink(workspace, link)
    return workspace
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readlink(link)
    throw error
  }
}
