import { Anchor, Code, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { z } from 'zod'
import { client } from '../../../console/api.ts'
import { OperationTable } from '../../../console/design/data-table.tsx'
import { bytes } from '../../../console/design/format.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { type ArtifactPath, getArtifact, listArtifacts } from '../contract.ts'
import { parentsOf, prettyJson, previewOf } from './artifact-view.ts'

const PageState = z.object({
  directory: z.string().max(1000).optional().catch(undefined),
  file: z.string().max(1000).optional().catch(undefined),
})

/** The files that a run left, one directory at a time, with a look at those that can be read. */
export function ArtifactBrowser({ owner }: { owner: string }) {
  const [{ directory = '', file }, change] = usePageState(PageState)
  const open = (path: string) => change({ directory: path === '' ? undefined : path, file: undefined }, { push: true })
  return (
    <Stack gap="sm">
      <Text component="nav" size="sm" aria-label="Directory">
        <Anchor component="button" type="button" inherit onClick={() => open('')}>
          artifacts
        </Anchor>
        {parentsOf(directory).map(({ name, path }) => (
          <span key={path}>
            {' / '}
            <Anchor component="button" type="button" inherit onClick={() => open(path)}>
              {name}
            </Anchor>
          </span>
        ))}
      </Text>
      <OperationTable
        label="Artifacts"
        operation={listArtifacts}
        input={(cursor) => ({ owner, ...(directory !== '' && { path: directory }), cursor })}
        about={['run', 'tracking-run']}
        noun="entry"
        rowKey={({ path }) => path}
        columns={[
          {
            title: 'Name',
            wrap: true,
            cell: ({ path, directory: isDirectory, size }) =>
              isDirectory || previewOf(path, size) !== null ? (
                <Anchor
                  component="button"
                  type="button"
                  inherit
                  style={{ overflowWrap: 'anywhere' }}
                  onClick={() => (isDirectory ? open(path) : change({ file: path }, { push: true }))}
                >
                  {nameOf(path)}
                  {isDirectory && '/'}
                </Anchor>
              ) : (
                nameOf(path)
              ),
          },
          {
            title: 'Size',
            number: true,
            cell: ({ size, directory: isDirectory }) => (isDirectory ? '–' : bytes(size)),
          },
          {
            title: 'Bytes',
            cell: ({ path, digest }) =>
              digest !== null && (
                <Anchor inherit href={`/api/v1/objects/${digest}`} download={nameOf(path)}>
                  Download
                </Anchor>
              ),
          },
        ]}
        empty={
          <Text size="sm" c="dimmed">
            Nothing is here: mlflow.log_artifact('report.json') puts files in.
          </Text>
        }
      />
      {file !== undefined && <Preview key={file} owner={owner} path={file} />}
    </Stack>
  )
}

const nameOf = (path: string): string => path.split('/').at(-1) ?? path

function Preview({ owner, path }: { owner: string; path: z.infer<typeof ArtifactPath> }) {
  const { data, error } = useQuery({
    queryKey: [getArtifact.name, owner, path, 'content'],
    queryFn: async ({ signal }) => {
      const { digest, size } = await client.call(getArtifact, { owner, path }, { signal })
      const kind = previewOf(path, size)
      if (kind !== 'text' && kind !== 'json') return { kind, digest }
      const answer = await client.raw('GET', `/api/v1/objects/${digest}`)
      return { kind, digest, text: await answer.text() }
    },
  })
  return (
    <div>
      <Text size="sm" fw={600} mb={4} style={{ overflowWrap: 'anywhere' }}>
        {path}
      </Text>
      <Pending data={data} error={error} height={160} />
      {data?.kind === null && <Text size="sm">It is too large or of a kind that is only for download.</Text>}
      {data?.kind === 'picture' && (
        // Whatever the file holds, nothing but a picture can come of it here.
        <img src={`/api/v1/objects/${data.digest}`} alt={nameOf(path)} style={{ maxWidth: '100%', minWidth: 40 }} />
      )}
      {data?.text !== undefined && (
        <Code block tabIndex={0} role="region" aria-label={`Content of ${path}`} mah={480} style={{ overflow: 'auto' }}>
          {data.kind === 'json' ? prettyJson(data.text) : data.text}
        </Code>
      )}
    </div>
  )
}
