import { Anchor, Stack, Text } from '@mantine/core'
import { z } from 'zod'
import { OperationTable } from '../../../console/design/data-table.tsx'
import { bytes } from '../../../console/design/format.ts'
import { usePageState } from '../../../console/page-state.ts'
import { listArtifacts } from '../contract.ts'
import { ArtifactPreview } from './artifact-preview.tsx'
import { nameOf, parentsOf, previewOf } from './artifact-view.ts'

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
      {file !== undefined && <ArtifactPreview key={file} owner={owner} path={file} />}
    </Stack>
  )
}
