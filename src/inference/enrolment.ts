import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { unlessMissing, writeDurably } from './durable-file.ts'
import { inferenceFailure } from './errors.ts'

/** What a node that joined needs to start again without its join token. */
export const Enrolment = z.object({
  node: z.string(),
  workspace: z.string(),
  environment: z.string(),
  controlUrl: z.string(),
  token: z.string(),
  planPublicKey: z.string(),
  /** In PEM; null when the control plane's certificate comes from one of the usual authorities. */
  authority: z.string().nullable(),
  /** Null when it has no online store. */
  onlineUrl: z.string().nullable(),
  /** Digest of the join token, so that another one is known for a wish to join anew. */
  joinedWith: z.string(),
})
export type Enrolment = z.infer<typeof Enrolment>

const fileOf = (directory: string) => join(directory, 'enrolment.json')

/** For what reads authorities from a file. */
export const authorityFileOf = (directory: string): string => join(directory, 'authority.pem')

/** @throws `enrolment_unreadable` */
export async function readEnrolment(directory: string): Promise<Enrolment | undefined> {
  const text = await unlessMissing(readFile(fileOf(directory), 'utf8'))
  if (text === undefined) return undefined
  try {
    return Enrolment.parse(JSON.parse(text))
  } catch (cause) {
    throw inferenceFailure('enrolment_unreadable', `${fileOf(directory)} is not what an enrolment leaves`, { cause })
  }
}

/** On disk, for the owner's eyes alone, before the node begins: its token is shown to nobody again. */
export async function keepEnrolment(directory: string, enrolment: Enrolment): Promise<void> {
  if (enrolment.authority !== null) await writeDurably(authorityFileOf(directory), enrolment.authority, 0o644)
  await writeDurably(fileOf(directory), JSON.stringify(enrolment, null, 2), 0o600)
}
