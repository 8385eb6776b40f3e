import {
  aNumber,
  type Comparator,
  equality,
  type KeyRules,
  lists,
  order,
  patterns,
  presence,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'

export type TraceEntity = 'attribute' | 'tag' | 'metadata' | 'span' | 'feedback' | 'expectation' | 'issue'

const text: KeyRules = { values: 'text', comparators: [...equality, ...patterns, 'rlike', ...lists] }
const label: KeyRules = { values: 'text', comparators: [...text.comparators, ...presence] }
const time: KeyRules = { values: 'time', comparators: [...equality, ...order] }
const assessment: readonly Comparator[] = [...equality, ...order, ...patterns, 'rlike', ...presence]

/** What of traces can be searched, as MLflow calls it. */
export const traceVocabulary: Vocabulary<TraceEntity> = {
  bare: 'attribute',
  entities: {
    attribute: {
      written: ['trace', 'attribute', 'attributes', 'attr'],
      ...text,
      keys: {
        request_id: { ...text, as: 'id' },
        trace_id: { ...text, as: 'id' },
        experiment_id: { ...text, as: 'experiment' },
        timestamp: { ...time, as: 'started' },
        timestamp_ms: { ...time, as: 'started' },
        execution_time: { ...aNumber, as: 'duration' },
        execution_time_ms: { ...aNumber, as: 'duration' },
        end_time: { ...time, as: 'ended' },
        end_time_ms: { ...time, as: 'ended' },
        status: { ...text, as: 'status' },
        state: { ...text, as: 'status' },
        name: { ...text, as: 'name' },
        client_request_id: { ...text, as: 'client_request' },
        run_id: { values: 'text', comparators: [...equality, ...lists], as: 'run' },
        prompt: { values: 'text', comparators: ['='], as: 'prompt' },
        text: { values: 'text', comparators: patterns, as: 'text' },
      },
    },
    tag: { written: ['tag', 'tags'], ...label },
    metadata: { written: ['metadata', 'request_metadata'], ...label },
    span: { written: ['span'], ...text },
    feedback: { written: ['feedback'], values: 'either', comparators: assessment },
    expectation: { written: ['expectation'], values: 'either', comparators: assessment },
    issue: {
      written: ['issue'],
      values: 'text',
      comparators: ['='],
      keys: { id: { values: 'text', comparators: ['='] } },
    },
  },
}
