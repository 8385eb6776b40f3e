import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMlflowFile } from './mlflow-sqlite.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pave-mlflow-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

const experiments = `
  create table experiments (experiment_id integer, name text, artifact_location text, lifecycle_stage text);
  create table runs (run_uuid text, name text, user_id text, status text, start_time int, end_time int,
    lifecycle_stage text, artifact_uri text, experiment_id int);
  insert into experiments values (0, 'Default', '', 'active')`

function fileWith(name: string, statements: string): string {
  const file = join(folder, name)
  const db = new DatabaseSync(file)
  db.exec(statements)
  db.close()
  return file
}

const collect = <T>(items: AsyncIterable<T>) => Array.fromAsync(items)

describe('the file of an MLflow', () => {
  it('of version 1, which knew no models, traces or datasets, holds what it holds', async () => {
    const source = await openMlflowFile(fileWith('1.db', experiments), { artifacts: folder })
    expect(await collect(source.experiments())).toMatchObject([{ name: 'Default', creation_time: 0, tags: {} }])
    for (const nothing of [
      ...[source.traces('0'), source.scorers('0'), source.loggedModels('0'), source.linkedTraces('a', '0')],
      ...[source.models(), source.datasets(), source.webhooks()],
    ]) {
      expect(await collect<unknown>(nothing)).toEqual([])
    }
    await source.close()
  })

  it('of version 2, whose traces have their spans in files and fewer columns, is read', async () => {
    const id = `tr-${'2'.padStart(32, '0')}`
    await mkdir(join(folder, 'traces'))
    const attributes = {
      'mlflow.traceRequestId': `"${id}"`,
      'mlflow.spanInputs': '{"big": 9007199254740993}',
      odd: 'NaN',
    }
    const span = {
      ...{ name: 'answer', context: { span_id: '0x1', trace_id: '0x2' }, parent_id: null, attributes },
      ...{ start_time: '@start', end_time: '@end', status_code: 'OK', status_message: '' },
      events: [{ name: 'looked', timestamp: 1, attributes: { rows: 3 } }],
    }
    const text = JSON.stringify({ spans: [span] })
      .replace('"@start"', '1700000000123456789')
      .replace('"@end"', 'null')
    await writeFile(join(folder, 'traces', 'traces.json'), text)
    const file = fileWith(
      '2.db',
      `${experiments};
      create table trace_info (request_id text, experiment_id int, timestamp_ms int, execution_time_ms int, status text);
      create table trace_tags (request_id text, key text, value text);
      create table trace_request_metadata (request_id text, key text, value text);
      insert into trace_info values ('${id}', 0, 1700000000123, 1500, 'OK');
      insert into trace_tags values ('${id}', 'mlflow.artifactLocation', 'file://${folder}/traces'), ('${id}', 'mlflow.traceName', 'answer');
      insert into trace_request_metadata values ('${id}', 'mlflow.user', 'ada')`,
    )
    const source = await openMlflowFile(file, { artifacts: folder })
    const traces = await collect(source.traces('0'))
    expect(traces).toMatchObject([
      {
        ...{ trace: id, startedAt: 1_700_000_000_123, durationMs: 1500, state: 'ok', clientRequest: null },
        ...{ metadata: { 'mlflow.user': 'ada' }, assessments: [] },
      },
    ])
    expect((await source.spans(traces)).get(id)).toEqual([
      {
        ...{ span: '0000000000000001', parent: null, name: 'answer', kind: 0, status: 'ok', message: '', links: [] },
        ...{ start: '1700000000123456789', end: null },
        attributes: `{"mlflow.traceRequestId":"${id}","mlflow.spanInputs":{"big": 9007199254740993},"odd":"NaN"}`,
        events: [{ name: 'looked', time: '1', attributes: '{"rows":3}' }],
      },
    ])
    await source.close()
  })

  it('that is none is refused', async () => {
    await expect(
      openMlflowFile(fileWith('none.db', 'create table a (b)'), { artifacts: folder }),
    ).rejects.toMatchObject({
      code: 'usage',
    })
  })
})
