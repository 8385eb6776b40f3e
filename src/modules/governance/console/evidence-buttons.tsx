import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { client } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { saveFile } from '../../../console/save-file.ts'
import { exportEvidence } from '../contract.ts'

/** The evidence of a version as a file. That somebody took it is itself entered in the ledger. */
export function EvidenceButtons({ version }: { version: string }) {
  const exporting = useMutation({
    mutationFn: async (form: 'md' | 'json') => {
      const { document, markdown } = await client.call(exportEvidence, { version })
      const name = `evidence-${version}.${form}`
      if (form === 'md') saveFile(name, 'text/markdown', markdown)
      else saveFile(name, 'application/json', `${JSON.stringify(document, null, 2)}\n`)
    },
  })
  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={exporting.isPending && exporting.variables === 'md'}
        onClick={() => exporting.mutate('md')}
      >
        Evidence, Markdown
      </Button>
      <Button
        size="xs"
        variant="default"
        loading={exporting.isPending && exporting.variables === 'json'}
        onClick={() => exporting.mutate('json')}
      >
        JSON
      </Button>
      {exporting.error !== null && <Problem error={exporting.error} />}
    </>
  )
}
