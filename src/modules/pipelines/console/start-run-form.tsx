import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { PaveError } from '#platform/errors.ts'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type PipelineSpec, type Run, startRun } from '../contract.ts'
import { startingValues, typedParams } from './run-view.ts'

interface StartRunProps {
  pipeline: string
  params: PipelineSpec['params']
  /** What an earlier run was given. */
  given?: Run['params']
  label: string
  /** A sentence in the dialog. */
  about: string
}

/** A button that opens a form of the pipeline's params, and starts a run with what is typed there. */
export function StartRunButton({ label, ...form }: StartRunProps) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button size="xs" onClick={() => setOpened(true)}>
        {label}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`Run ${form.pipeline}`} size="lg">
        <StartRunForm {...form} close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function StartRunForm({ pipeline, params, given, about, close }: Omit<StartRunProps, 'label'> & { close(): void }) {
  const navigate = useNavigate()
  const [typed, setTyped] = useState(() => startingValues(params, given))
  const [reason, setReason] = useState('')
  const starting = useMutation({
    mutationFn: () => client.call(startRun, { pipeline, params: typedParams(params, typed), reason: reason.trim() }),
    onSuccess: async ({ run }) => {
      void queries.invalidateQueries()
      close()
      await navigate({ to: '/runs/$run', params: { run } })
    },
  })
  const problems = starting.error instanceof PaveError ? starting.error.problems : []
  const set = (name: string) => (value: string) => setTyped((before) => ({ ...before, [name]: value }))
  return (
    <Stack
      component="form"
      gap="sm"
      onSubmit={(event) => {
        event.preventDefault()
        starting.mutate()
      }}
    >
      <Text size="sm">{about}</Text>
      {Object.entries(params).map(([name, param]) => (
        <ParamField
          key={name}
          name={name}
          param={param}
          value={typed[name] ?? ''}
          error={problems.find(({ pointer }) => pointer === `/params/${name}`)?.message}
          onChange={set(name)}
        />
      ))}
      <TextInput
        label="Reason"
        description="Stays in the ledger with the run"
        value={reason}
        maxLength={1000}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {starting.error !== null && <Problem error={starting.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={starting.isPending}>
          Start the run
        </Button>
      </Group>
    </Stack>
  )
}

interface ParamFieldProps {
  name: string
  param: PipelineSpec['params'][string]
  value: string
  error: string | undefined
  onChange(value: string): void
}

function ParamField({ name, param, value, error, onChange }: ParamFieldProps) {
  const common = {
    label: name,
    description: [param.description, param.type].filter(Boolean).join(' · '),
    error,
    withAsterisk: param.default === undefined,
  }
  if (param.type === 'bool' || param.values !== undefined) {
    const data = param.values ?? ['true', 'false']
    return <Select {...common} data={data} value={value || null} onChange={(chosen) => onChange(chosen ?? '')} />
  }
  if (param.type === 'int' || param.type === 'double') {
    return (
      <NumberInput
        {...common}
        value={value}
        allowDecimal={param.type === 'double'}
        onChange={(next) => onChange(String(next))}
      />
    )
  }
  return (
    <TextInput
      {...common}
      value={value}
      placeholder={param.type === 'timestamp' ? '2001-01-01 or 2001-01-01T00:00:00Z' : undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
