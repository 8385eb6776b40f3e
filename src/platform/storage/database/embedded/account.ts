import { chown, readFile, stat } from 'node:fs/promises'
import { startupFailure } from '../../../startup-error.ts'

/** The unprivileged user that PostgreSQL runs as. */
export interface Account {
  uid: number
  gid: number
}

/** In order of preference; initdb insists on a name in the user database, so a number of our own would not do. */
const accountNames = ['postgres', '_postgres', 'nobody']

/**
 * Whom PostgreSQL runs as when Pave is root, which PostgreSQL refuses to be: the owner of the cluster if there is one.
 * Undefined when it runs as Pave itself. Error: postgres_account_missing.
 */
export async function chooseAccount(cluster: string): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const owner = await stat(cluster).catch(() => undefined)
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of accountNames) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? []
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) }
  }
  throw startupFailure('postgres_account_missing', `None of the users ${accountNames.join(', ')} exists on this system`)
}

/** Hands a file or directory to the account. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account === undefined) return
  try {
    await chown(path, account.uid, account.gid)
  } catch (error) {
    throw startupFailure(
      'postgres_account_missing',
      `Pave runs as root but cannot give ${path} to uid ${account.uid}`,
      {
        cause: error,
      },
    )
  }
}
