import type { Pool } from 'pg'
import { startupFailure } from '../startup-error.ts'
import { formatVerifierKey, type SigningKey } from './signing-key.ts'

/**
 * The first process of a database leaves the public half of its key there; one with another key would sign another
 * history of the same entries, and is refused. It is how processes notice that they do not share a data directory.
 */
export async function requireSameLedger(pool: Pool, key: SigningKey, dataDir: string): Promise<void> {
  const mine = formatVerifierKey(key.verifier)
  await pool.query('insert into ledger.signer (verifier_key) values ($1) on conflict do nothing', [mine])
  const { rows } = await pool.query<{ verifier_key: string }>('select verifier_key from ledger.signer')
  const known = rows[0]?.verifier_key
  if (known === mine) return
  throw startupFailure(
    'database_of_another_ledger',
    `The ledger in the database is signed by ${known}; the key in ${dataDir} is ${mine}`,
  )
}
