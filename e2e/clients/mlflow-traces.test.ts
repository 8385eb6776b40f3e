import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const environment = pythonEnvironment(
  join(import.meta.dirname, '../../examples/flight-delays-python/steps/requirements.txt'),
)
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock mlflow client that traces', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let client: StockClient
  beforeAll(async () => {
    client = await startForClient([identity, tracking, traces, registry, mlflow], 'contributor')
  })
  afterAll(() => client.stop())

  it('finds its spans, tags, assessments, datasets and scorers again', async () => {
    const seen = await client.seen(python, 'mlflow-traces.py', { MLFLOW_ENABLE_ASYNC_TRACE_LOGGING: 'true' })
    const all = ['fail', 'when', 'why']
    const answered = ['when', 'why']
    expect(seen).toEqual({
      asynchronous: 'true',
      found: ['why', 'when', 'fail'],
      trace: {
        state: ['OK', 'OK', 'ERROR'],
        spans: [
          ['answer', 'CHAIN', 'OK'],
          ['retrieve', 'RETRIEVER', 'OK'],
          ['generate', 'LLM', 'OK'],
        ],
        inputs: { question: 'why' },
        outputs: 'why? ü 🛫',
        documents: ['str', 'float', 'int'],
        big: true,
        tokens: { input_tokens: 10, output_tokens: 4, total_tokens: 14 },
        preview: '{"question": "why"}',
        name: 'answer',
        run: true,
        session: 's-1',
        duration: true,
        exception: ['exception'],
        one: 'retrieve',
      },
      assessments: {
        value: 0.95,
        metadata: { seen: 'twice' },
        valid: [
          ['helpful', false],
          ['expected', null],
          ['helpful', true],
        ],
        expectation: { answer: ['why?'], n: 1 },
        source: 'CODE',
      },
      searches: {
        "trace.status = 'ERROR'": ['fail'],
        "attributes.status IN ('OK')": answered,
        "name = 'answer' AND tags.question LIKE 'wh%'": answered,
        'tags.reviewed IS NULL': ['fail', 'when'],
        "metadata.mlflow.trace.session = 's-1'": all,
        "span.name = 'generate' AND span.status = 'ERROR'": ['fail'],
        "span.name = 'retrieve' AND span.status = 'ERROR'": [],
        "span.type = 'LLM'": all,
        "span.attributes.model = 'tiny'": all,
        "span.attributes.mlflow.spanInputs LIKE '%when%'": ['when'],
        "trace.text LIKE '%about why%'": ['why'],
        "tags.question RLIKE '^(why|fail)$'": ['fail', 'why'],
        'feedback.helpful > 0.9': ['why'],
        "feedback.helpful = 'no'": ['when'],
        'expectation.expected IS NOT NULL': ['why'],
        now: all,
        run: ['why'],
      },
      pages: 2,
      linked: ['when'],
      'by hand': [[1, 2.5, null, true], '"done"'],
      deleted: [1, [], null],
      dataset: {
        name: 'cases',
        before: 2,
        records: ['{"question": "why"}'],
        sources: ['HUMAN'],
        expectations: [{ answer: 'because', sure: true, expected: { answer: ['why?'], n: 1 } }],
        found: [true],
        experiments: true,
        gone: 0,
      },
      scorers: { version: 2, listed: [['tone', 2]], versions: [1, 2], first: '{"name": "tone"}', online: [] },
      attached: 'a picture',
      refused: {
        'unknown trace': 'RESOURCE_DOES_NOT_EXIST',
        'a path': 'INVALID_PARAMETER_VALUE',
        filter: 'INVALID_PARAMETER_VALUE',
        'no filter': 'INVALID_PARAMETER_VALUE',
        pattern: 'INVALID_PARAMETER_VALUE',
        assessment: 'RESOURCE_DOES_NOT_EXIST',
        scorer: 'RESOURCE_DOES_NOT_EXIST',
      },
    })
  })
})
