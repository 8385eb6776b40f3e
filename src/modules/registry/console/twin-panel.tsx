import { Button, Code, Group, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { client, queries, read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { percent } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getJob } from '../../../platform/kernel/contract.ts'
import type { OnnxTwin, Version } from '../contract.ts'
import { convertVersion } from '../twin-contract.ts'
import { DigestText } from './digest-text.tsx'
import { comparison, difference, mayHaveTwin, originsText, tensorsText, twinStates } from './twin-view.ts'

/** The graph that Pave makes of a model that came without one; nothing for versions that need none. */
export function TwinPanel({ version }: { version: Version }) {
  if (!mayHaveTwin(version)) return null
  const { ref, twin } = version
  return (
    <Panel mb="md">
      <Section title="ONNX twin">
        {twin === null ? (
          <Text size="sm">
            It was registered without an ONNX graph, which is what nodes serve. Pave can run the model in its own
            environment, convert it, and compare what both answer.
          </Text>
        ) : (
          <KnownTwin version={ref} twin={twin} />
        )}
        {twin?.state !== 'ready' && twin?.state !== 'converting' && (
          <ConvertButton version={ref} again={twin !== null} />
        )}
      </Section>
    </Panel>
  )
}

function KnownTwin({ version, twin }: { version: string; twin: OnnxTwin }) {
  const { state, report, problem, artifact, log } = twin
  const { tone, word } = twinStates[state]
  return (
    <>
      <Group gap="sm" mb="xs">
        <State tone={tone}>{word}</State>
        <Text size="sm">
          {state === 'ready' && 'The version serves by it. '}
          {comparison(twin)}
        </Text>
        {state === 'converting' && <Progress job={twin.job} />}
      </Group>
      {problem !== null && (
        <Text size="sm" mb="xs" style={{ overflowWrap: 'anywhere' }}>
          {problem.message} <Code>{problem.code}</Code>
        </Text>
      )}
      {problem !== null && problem.lines.length > 0 && (
        <Code
          block
          mb="xs"
          tabIndex={0}
          role="region"
          aria-label="Last lines of the log"
          style={{ maxHeight: '16rem', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
        >
          {problem.lines.join('\n')}
        </Code>
      )}
      <Facts
        of={{
          Graph: artifact === null ? undefined : <DigestText digest={artifact} download={`${version}.onnx`} />,
          'Largest difference':
            report === null
              ? undefined
              : `${difference(report.maxAbsolute)}, relative ${difference(report.maxRelative)}`,
          Tolerance: String(twin.tolerance),
          Takes: twin.signature === null ? undefined : tensorsText(twin.signature.inputs),
          Answers: twin.signature === null ? undefined : tensorsText(twin.signature.outputs),
          Samples: report === null ? undefined : originsText(report.origins),
          Converter: report === null ? undefined : `${report.converter}, opset ${report.opset}`,
          Asked: (
            <>
              <Instant at={twin.askedAt} /> by <PersonName id={twin.askedBy} />
            </>
          ),
          Job: <SubjectLink kind="job" id={twin.job} bare />,
          Log: log === null ? undefined : <DigestText digest={log} download={`${version}-conversion.log`} />,
        }}
      />
    </>
  )
}

function Progress({ job }: { job: string }) {
  const { data } = useQuery(read(getJob, { job }, ['job']))
  if (data === undefined) return null
  return (
    <Text size="sm" c="dimmed">
      {percent(data.progress)} {data.progressText}
    </Text>
  )
}

function ConvertButton({ version, again }: { version: string; again: boolean }) {
  const asking = useMutation({
    mutationFn: () => client.call(convertVersion, { version }),
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <>
      <Button mt="sm" size="xs" loading={asking.isPending} onClick={() => asking.mutate()}>
        {again ? 'Convert again' : 'Convert to ONNX'}
      </Button>
      {asking.error !== null && <Problem error={asking.error} />}
    </>
  )
}
