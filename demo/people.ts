import { createPrincipal, createToken, type Role } from '../src/modules/identity/contract.ts'
import { PaveError } from '../src/platform/errors.ts'
import { type Client, createClient } from '../src/platform/surfaces/client.ts'
import { patiently } from './patience.ts'

export interface People {
  /** Data scientist: writes manifests, runs pipelines, asks for releases. */
  ada: Client
  /** Approver: decides on what Ada asks for. */
  grace: Client
  /** The product that asks for predictions. */
  productToken: string
}

/** Two identities, because nobody approves their own model; and a service account that may only ask for predictions. */
export async function introducePeople(admin: Client): Promise<People> {
  const personalToken = async (
    name: string,
    kind: 'user' | 'service-account',
    role: Role,
    endpoints: string[] = [],
  ) => {
    await patiently(() => admin.call(createPrincipal, { name, kind, role })).catch((error) => {
      if (!(error instanceof PaveError && error.code === 'principal_exists')) throw error
    })
    const { token } = await patiently(() =>
      admin.call(createToken, { principal: name, name: 'demo', expiresIn: 86_400, endpoints }),
    )
    return token
  }
  const client = async (name: string, role: Role) =>
    createClient({ url: admin.url, token: await personalToken(name, 'user', role) })
  return {
    ada: await client('ada', 'operator'),
    grace: await client('grace', 'approver'),
    productToken: await personalToken('booking-site', 'service-account', 'viewer', ['prod/flight-delays']),
  }
}
