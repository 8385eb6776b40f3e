import { ActionIcon, Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { PaveError } from '#platform/errors.ts'
import { client, queries } from '../../../console/api.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { deleteAlias, setAlias, type Version } from '../contract.ts'
import { AliasHistory } from './alias-history.tsx'
import styles from './alias-table.module.css'

interface Move {
  alias: string
  from: number | null
  /** Null takes it away. */
  to: number | null
  reason?: string
}

interface AliasTableProps {
  model: string
  /** Newest first. */
  versions: readonly Version[]
  /** Whether these are all that there are. */
  complete: boolean
}

/** The names that people call versions by. One that somebody else moved meanwhile is not moved again by mistake. */
export function AliasTable({ model, versions, complete }: AliasTableProps) {
  const aliases = versions
    .flatMap(({ aliases: names, version }) => names.map((alias) => ({ alias, version })))
    .sort((a, b) => a.alias.localeCompare(b.alias))
  const [alias, setName] = useState('')
  const [version, setVersion] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const [done, setDone] = useState<Move>()
  const moving = useMutation({
    mutationFn: async (move: Move) => {
      const { alias: name, from, to, reason } = move
      if (to === null) await client.call(deleteAlias, { model, alias: name, from, reason })
      else await client.call(setAlias, { model, alias: name, version: to, from, reason })
      return move
    },
    onSuccess: (move) => {
      setDone(move)
      setName('')
      setVersion(null)
      setReason('')
    },
    // Also after a refusal: the page shows where the alias is now, beside what was typed.
    onSettled: () => queries.invalidateQueries(),
  })
  const current = aliases.find((one) => one.alias === alias.trim())
  const refused = moving.error instanceof PaveError && moving.error.code === 'alias_moved'
  return (
    <Panel>
      <Section title="Aliases">
        <ul className={styles.aliases}>
          {aliases.map((one) => (
            <li key={one.alias}>
              <strong>{one.alias}</strong> <SubjectLink kind="version" id={`${model}@${one.version}`} bare />
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={`Take ${one.alias} away`}
                title={`Take ${one.alias} away`}
                onClick={() => moving.mutate({ alias: one.alias, from: one.version, to: null })}
              >
                ✕
              </ActionIcon>
            </li>
          ))}
        </ul>
        {aliases.length === 0 && (
          <Text size="sm" c="dimmed" mb="xs">
            {complete ? 'No version has one.' : 'None of the versions below has one.'} An alias such as champion lets
            releases and pipelines name a version without its number.
          </Text>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (version === null) return
            moving.mutate({
              alias: alias.trim(),
              from: current?.version ?? null,
              to: Number(version),
              reason: reason.trim(),
            })
          }}
        >
          <Group gap="xs" align="flex-end">
            <TextInput
              label="Alias"
              placeholder="champion"
              size="xs"
              value={alias}
              maxLength={100}
              pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
              title="Lower-case letters, digits and dashes"
              required
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Select
              label="Version"
              size="xs"
              w={110}
              searchable
              required
              data={versions.map((one) => String(one.version))}
              value={version}
              onChange={setVersion}
            />
            <TextInput
              label="Why"
              size="xs"
              maw={260}
              flex={1}
              value={reason}
              maxLength={500}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            <Button type="submit" size="xs" variant="default" loading={moving.isPending}>
              {current === undefined ? 'Set' : `Move from ${current.version}`}
            </Button>
          </Group>
        </form>
        {moving.error !== null && (
          <div style={{ marginTop: 8 }}>
            <Problem error={moving.error} />
            {refused && (
              <Text size="sm" mt={4}>
                The list above shows where it is now. What you typed is still there: submit it again to move it all the
                same.
              </Text>
            )}
          </div>
        )}
        {done !== undefined && moving.error === null && (
          <Group gap="xs" mt="xs" role="status">
            <Text size="sm">
              {done.to === null
                ? `${done.alias} was taken away from ${model}@${done.from}.`
                : `${done.alias} is ${model}@${done.to}${done.from === null ? '' : `; it was ${model}@${done.from}`}.`}
            </Text>
            <Button
              size="compact-xs"
              variant="subtle"
              loading={moving.isPending}
              onClick={() => moving.mutate({ alias: done.alias, from: done.to, to: done.from })}
            >
              Undo
            </Button>
          </Group>
        )}
        <AliasHistory model={model} />
      </Section>
    </Panel>
  )
}
