import { Alert, Anchor, Button, Group, Modal, Select, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { z } from 'zod'
import { evaluateGates } from '#modules/governance/contract.ts'
import { listVersions } from '#modules/registry/contract.ts'
import { client, queries, read } from '../../../console/api.ts'
import { counted } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { State } from '../../../console/design/state.tsx'
import { PaveError } from '../../../platform/errors.ts'
import { type Endpoint, startRelease } from '../contract.ts'
import { isRunning, planOf } from './release-view.ts'

/** Releases a version to an endpoint. What was typed stays until the release has begun. */
export function StartReleaseButton({ endpoint }: { endpoint: Endpoint }) {
  const [opened, setOpened] = useState(false)
  const running = endpoint.release !== null && isRunning(endpoint.release)
  return (
    <>
      <Button
        size="sm"
        variant="default"
        disabled={running}
        title={running ? 'Another release is under way' : undefined}
        onClick={() => setOpened(true)}
      >
        Start a release
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Release to ${endpoint.environment}/${endpoint.endpoint}`}
        keepMounted
        centered
        size="lg"
      >
        <StartReleaseForm endpoint={endpoint} close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

const Waiting = z.object({ pending: z.object({ id: z.string(), quorum: z.number() }) })

function StartReleaseForm({ endpoint: declared, close }: { endpoint: Endpoint; close(): void }) {
  const { environment, endpoint, spec, version: serving } = declared
  const [version, setVersion] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const versions = useQuery(read(listVersions, { model: spec.model, limit: 100 }, ['version', 'model']))
  const starting = useMutation({
    mutationFn: (wanted: string) =>
      client.call(startRelease, { environment, endpoint, version: wanted, note: note.trim() }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      setVersion(null)
      setNote('')
      close()
    },
  })
  const waiting =
    starting.error instanceof PaveError && starting.error.code === 'approval_required'
      ? Waiting.safeParse(starting.error.details).data?.pending
      : undefined
  return (
    <Stack
      component="form"
      onSubmit={(event) => {
        event.preventDefault()
        if (version !== null) starting.mutate(version)
      }}
    >
      {versions.error && <Problem error={versions.error} />}
      <Select
        label="Version"
        description={`Of ${spec.model}, newest first`}
        placeholder={versions.data?.items.length === 0 ? 'None is registered yet' : 'Choose a version'}
        data={(versions.data?.items ?? []).map((one) => ({
          value: one.ref,
          label: one.ref === serving ? `${one.ref} (serves now)` : one.ref,
          disabled: one.ref === serving,
        }))}
        value={version}
        onChange={(chosen) => {
          starting.reset()
          setVersion(chosen)
        }}
        searchable
        required
      />
      {version !== null && <Gates version={version} />}
      {version !== null && (
        <div>
          <Text size="sm" fw={550}>
            What will happen
          </Text>
          <ol style={{ margin: 0, paddingLeft: '1.2rem', fontSize: 'var(--mantine-font-size-sm)' }}>
            {planOf(spec.strategy, serving).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </div>
      )}
      <Textarea
        label="What it is for"
        description="Stays in the ledger with the release"
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={500}
        rows={2}
      />
      {waiting !== undefined && (
        <Alert color="indigo" variant="light" role="status" title="It waits for approval">
          {counted(waiting.quorum, 'approval')} needed; then it begins by itself.{' '}
          <Anchor
            inherit
            renderRoot={(props) => <Link {...props} to="/approvals/$pending" params={{ pending: waiting.id }} />}
          >
            See the request
          </Anchor>
        </Alert>
      )}
      {starting.error && waiting === undefined && <Problem error={starting.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {waiting === undefined ? 'Cancel' : 'Close'}
        </Button>
        <Button type="submit" loading={starting.isPending} disabled={version === null || waiting !== undefined}>
          Start
        </Button>
      </Group>
    </Stack>
  )
}

/** Whether the version may be released at all, with the rules that it fails. */
function Gates({ version }: { version: string }) {
  const { data, error } = useQuery(read(evaluateGates, { version }, ['policy', 'version']))
  if (error) return <Problem error={error} />
  if (data === undefined) return null
  const failed = data.rules.filter((rule) => !rule.passed)
  return (
    <div>
      <Group gap="xs">
        <State tone={data.passed ? 'good' : 'bad'}>{data.passed ? 'gates passed' : 'gates failed'}</State>
        <Text size="sm" c="dimmed">
          {counted(data.rules.length, 'rule')}
          {data.approvals.quorum > 0 && `, then ${counted(data.approvals.quorum, 'approval')}`}
        </Text>
        <Anchor
          size="sm"
          renderRoot={(props) => {
            const [model = '', number = ''] = data.version.split('@')
            return <Link {...props} to="/models/$model/versions/$version" params={{ model, version: number }} />
          }}
        >
          Numbers
        </Anchor>
      </Group>
      {failed.map(({ policy, rule, message }) => (
        <Text key={`${policy} ${rule}`} size="sm">
          {message}
        </Text>
      ))}
    </div>
  )
}
