import { Anchor } from '@mantine/core'
import { shortened } from '../../../console/design/format.ts'

/** The first digits of a digest; the bytes can be downloaded where a file name for them is given. */
export function DigestText({ digest, download }: { digest: string; download?: string }) {
  if (download === undefined) return <span title={digest}>{shortened(digest)}</span>
  return (
    <Anchor inherit href={`/api/v1/objects/${digest}`} download={download} title={`Download ${download}, ${digest}`}>
      {shortened(digest)}
    </Anchor>
  )
}
