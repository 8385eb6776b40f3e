import { Button, Code, Group, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '#modules/identity/console/may.tsx'
import { client, queries, read } from '../../../console/api.ts'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import {
  deleteRetention,
  type ExperimentRetention,
  getRetention,
  putRetention,
  type Retention,
} from '../trash-contract.ts'

const longest = 36_500

/** How long the runs of an experiment are kept, who said so, and how to say otherwise. */
export function RetentionPanel({ experiment }: { experiment: string }) {
  const [changing, setChanging] = useState(false)
  const { data, error } = useQuery(read(getRetention, { experiment }, ['experiment']))
  const may = useMay(putRetention, { experiment })
  return (
    <Stack gap="lg">
      <Panel>
        <Section
          title="How long things are kept"
          aside={
            data !== undefined &&
            may &&
            !changing && (
              <Group gap="xs">
                {data.own && (
                  <ConfirmButton
                    label="Use the default"
                    title="Use the default"
                    run={() => client.call(deleteRetention, { experiment })}
                  >
                    <Text size="sm">
                      The experiment is then kept as all are that have no retention of their own: ended runs for ever,
                      and what is deleted for 30 days.
                    </Text>
                  </ConfirmButton>
                )}
                <Button size="xs" variant="default" onClick={() => setChanging(true)}>
                  Change
                </Button>
              </Group>
            )
          }
        >
          <Pending data={data} error={error} height={90} />
          {data !== undefined &&
            (changing ? <Form of={data} onDone={() => setChanging(false)} /> : <Shown of={data} />)}
        </Section>
      </Panel>
      <EntriesAbout
        subject={`experiment:${experiment}`}
        title="Changes"
        operation={`${putRetention.name},${deleteRetention.name}`}
      />
    </Stack>
  )
}

function Shown({ of: { own, setBy, setAt, trashDays, expireAfterDays, keepTag } }: { of: ExperimentRetention }) {
  return (
    <Facts
      of={{
        'Ended runs':
          expireAfterDays === null ? 'stay for ever' : `go to the trash after ${counted(expireAfterDays, 'day')}`,
        Except:
          expireAfterDays === null ? undefined : (
            <>
              runs with the tag <Code>{keepTag}</Code>, and those that versions were registered from
            </>
          ),
        'The trash': trashDays === 0 ? 'is purged the next night' : `is purged after ${counted(trashDays, 'day')}`,
        'Set by': own ? setBy === null ? 'somebody' : <PersonName id={setBy} /> : 'nobody: that is the default',
        Since: setAt === null ? undefined : <Instant at={setAt} />,
      }}
    />
  )
}

function Form({ of: { experiment, ...before }, onDone }: { of: ExperimentRetention; onDone: () => void }) {
  const [expires, setExpires] = useState(before.expireAfterDays !== null)
  const [expireAfterDays, setExpireAfterDays] = useState<string | number>(before.expireAfterDays ?? 90)
  const [trashDays, setTrashDays] = useState<string | number>(before.trashDays)
  const [keepTag, setKeepTag] = useState(before.keepTag)
  const saving = useMutation({
    mutationFn: (retention: Retention) => client.call(putRetention, { experiment, ...retention }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      onDone()
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        saving.mutate({
          trashDays: Number(trashDays),
          expireAfterDays: expires ? Number(expireAfterDays) : null,
          keepTag: keepTag.trim(),
        })
      }}
    >
      <Stack gap="sm" maw={420}>
        <Switch
          label="Ended runs go to the trash by themselves"
          checked={expires}
          onChange={(event) => setExpires(event.currentTarget.checked)}
        />
        {expires && (
          <>
            <NumberInput
              label="So many days after their end"
              min={1}
              max={longest}
              allowDecimal={false}
              required
              value={expireAfterDays}
              onChange={setExpireAfterDays}
            />
            <TextInput
              label="Unless they have the tag"
              maxLength={250}
              required
              value={keepTag}
              onChange={(event) => setKeepTag(event.currentTarget.value)}
            />
          </>
        )}
        <NumberInput
          label="Days in the trash, until it is purged for good"
          description="Of what was deleted already, too"
          min={0}
          max={longest}
          allowDecimal={false}
          required
          value={trashDays}
          onChange={setTrashDays}
        />
        {saving.error !== null && <Problem error={saving.error} />}
        <Group gap="xs">
          <Button type="submit" size="xs" loading={saving.isPending}>
            Save
          </Button>
          <Button size="xs" variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
