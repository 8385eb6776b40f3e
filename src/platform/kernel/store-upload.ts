import type { Actor } from '../actor.ts'
import { systemActor } from '../actor.ts'
import type { Platform } from '../platform.ts'
import type { ObjectContent, PutOptions, StoredObject } from '../storage/objects/object-store.ts'
import { recordObject } from './contract.ts'

/** Keeps uploaded bytes and enters them in the uploader's workspace, whose operations may name them from then on. */
export async function storeUpload(
  platform: Platform,
  actor: Actor,
  content: ObjectContent,
  options: PutOptions & { traceId?: string },
): Promise<StoredObject> {
  const stored = await platform.services.objects.put(content, options)
  await platform.run(recordObject, {
    actor: { ...systemActor(actor.workspace), onBehalfOf: actor.id },
    input: stored,
    traceId: options.traceId,
  })
  return stored
}
