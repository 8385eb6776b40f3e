import { z } from 'zod'
import { getTraceAttachment, recordTraceAttachment } from '#modules/traces/contract.ts'
import type { Call } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Location } from './location.ts'

type Attachment = Location & { kind: 'attachment' }

/** The client keeps them below `attachments` of a trace's artifacts, each under a uuid; there is nothing else. */
function idOf({ trace, path }: Attachment): { trace: string; attachment: string } {
  const [, id] = /^attachments\/([^/]+)$/.exec(path) ?? []
  const attachment = z.uuid().safeParse(id)
  if (!attachment.success) throw notFound(`${trace} has no file ${path.slice(0, 200)}: a trace has attachments only`)
  return { trace, attachment: attachment.data }
}

export function findAttachment(call: Call, location: Attachment) {
  return call.run(getTraceAttachment, idOf(location))
}

/** Says where the bytes go, before they come. */
export function attachmentTarget(location: Attachment) {
  const id = idOf(location)
  return (call: Call, stored: { digest: string; size: number }) => call.run(recordTraceAttachment, { ...id, ...stored })
}
