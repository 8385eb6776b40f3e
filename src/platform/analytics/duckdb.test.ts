import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Analytics, type AnalyticsOptions, openAnalytics, type Parameter } from './duckdb.ts'
import { sqlString } from './sql-text.ts'

let root: string
let tempDir: string
let files: string
let analytics: Analytics

/** Runs for hours and needs next to no memory. */
const endless = 'SELECT count(*) FROM range(100000000000000) WHERE range % 7 = 3'

const open = (options: Partial<AnalyticsOptions> = {}) =>
  openAnalytics({
    tempDir,
    directories: [files],
    memoryLimitMb: 100,
    threads: 1,
    timeoutMs: 20_000,
    maxChildren: 2,
    ...options,
  })

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pave-analytics-'))
  tempDir = join(root, 'temp')
  files = join(root, 'files')
  await mkdir(files)
  analytics = await open()
})

afterEach(async () => {
  await analytics.close()
  await rm(root, { recursive: true })
})

const one = async (sql: string, parameters?: Parameter[]) => (await analytics.query(sql, parameters)).rows[0]?.['v']
const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
const childRuns = () => vi.waitUntil(() => childrenOf(process.pid)[0], { timeout: 10_000 })
const works = async () => expect(await one('SELECT 1 AS v')).toBe(1)

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('results', () => {
  it('gives values as plain JavaScript', async () => {
    const expected: [string, unknown][] = [
      ['NULL', null],
      ['true', true],
      ['9007199254740991', 9007199254740991],
      ['9007199254740993', '9007199254740993'],
      ['-170141183460469231731687303715884105727::HUGEINT', '-170141183460469231731687303715884105727'],
      ['sum(1)', 1],
      ['0.1::DOUBLE', 0.1],
      ["'nan'::DOUBLE", Number.NaN],
      ['-12.50::DECIMAL(5, 2)', -12.5],
      ['1234567890123456.12::DECIMAL(18, 2)', '1234567890123456.12'],
      ["DATE '2001-02-03'", '2001-02-03'],
      ["TIMESTAMP '2001-02-03 04:05:06'", '2001-02-03T04:05:06.000Z'],
      ["TIMESTAMP '2001-02-03 04:05:06.123456'", '2001-02-03T04:05:06.123456Z'],
      ["TIMESTAMP '1969-12-31 23:59:59.9999'", '1969-12-31T23:59:59.9999Z'],
      ["TIMESTAMPTZ '2001-02-03 04:05:06+02'", '2001-02-03T02:05:06.000Z'],
      ["TIMESTAMP_NS '2001-02-03 04:05:06.123456789'", '2001-02-03T04:05:06.123456789Z'],
      ["TIMESTAMP_S '2001-02-03 04:05:06'", '2001-02-03T04:05:06.000Z'],
      ["TIMESTAMP_MS '2001-02-03 04:05:06.7'", '2001-02-03T04:05:06.700Z'],
      ["TIMESTAMP 'infinity'", 'infinity'],
      ["TIME '01:02:03'", '01:02:03'],
      ['INTERVAL 3 DAY', '3 days'],
      ["'\\x00\\xFF'::BLOB", Buffer.from([0, 255])],
      ["'one'::ENUM('one', 'two')", 'one'],
      ['[1, NULL, 9007199254740993]', [1, null, '9007199254740993']],
      ['[1, 2]::INTEGER[2]', [1, 2]],
      ["{'a': 1, 'b': [DATE '2001-02-03']}", { a: 1, b: ['2001-02-03'] }],
      ["MAP {'k': 1}", [{ key: 'k', value: 1 }]],
      ['union_value(n := 1)', 1],
    ]
    const columns = expected.map(([sql], i) => `${sql} AS "${i}"`)
    const { rows } = await analytics.query(`SELECT ${columns.join(', ')}`)
    expect(rows).toEqual([Object.fromEntries(expected.map(([, value], i) => [i, value]))])
  })

  it('binds parameters of every type', async () => {
    const bound: [Parameter, string, unknown][] = [
      [null, '"NULL"', null],
      [true, 'BOOLEAN', true],
      [3, 'BIGINT', 3],
      [1.5, 'DOUBLE', 1.5],
      [1e300, 'DOUBLE', 1e300],
      [2n ** 63n, 'HUGEINT', '9223372036854775808'],
      ["it's", 'VARCHAR', "it's"],
      [Buffer.from([0, 1]), 'BLOB', Buffer.from([0, 1])],
      [[1, 2.5, null], 'DOUBLE[]', [1, 2.5, null]],
      [['a', null], 'VARCHAR[]', ['a', null]],
    ]
    const columns = bound.map((_, i) => `$${i + 1} AS v${i}, typeof($${i + 1}) AS t${i}`)
    const { rows } = await analytics.query(
      `SELECT ${columns.join(', ')}`,
      bound.map(([parameter]) => parameter),
    )
    const expected = bound.flatMap(([, type, value], i) => [
      [`v${i}`, value],
      [`t${i}`, type],
    ])
    expect(rows).toEqual([Object.fromEntries(expected)])
    expect(await one('SELECT len(?) AS v', [[]])).toBe(0)
  })

  it('names and types the columns, also without rows', async () => {
    expect(await analytics.query("SELECT 1 AS n, ['a'] AS n, now() AS t WHERE false")).toEqual({
      columns: [
        { name: 'n', type: 'INTEGER' },
        { name: 'n:1', type: 'VARCHAR[]' },
        { name: 't', type: 'TIMESTAMP WITH TIME ZONE' },
      ],
      rows: [],
    })
  })

  it('runs several statements and answers with the last one', async () => {
    const sql = 'CREATE TABLE t AS SELECT 41 AS n; UPDATE t SET n = n + 1; SELECT n + ? AS v FROM t'
    expect(await one(sql, [1])).toBe(43)
  })

  it('returns as many rows as allowed and no more, however many there would be', async () => {
    const { rows } = await analytics.query('SELECT range AS n FROM range(12000) ORDER BY n', [], { maxRows: 12_000 })
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 12_000 }, (_, n) => n))
    const tooMany = { code: 'analytics_too_many_rows', message: expect.stringContaining('11999') }
    await expect(analytics.query('FROM range(12000)', [], { maxRows: 11_999 })).rejects.toMatchObject(tooMany)
    await expect(analytics.query('FROM range(100000000000000)')).rejects.toMatchObject({
      code: 'analytics_too_many_rows',
    })
    await works()
  })

  it('passes on what DuckDB says about a wrong query', async () => {
    await expect(analytics.query('SELECT nothing FROM nowhere')).rejects.toMatchObject({
      code: 'analytics_query_failed',
      message: expect.stringContaining('nowhere'),
    })
    await works()
  })
})

describe('isolation', () => {
  it('shows no query the tables of another', async () => {
    const alone = await open({ maxChildren: 1 })
    await alone.run('CREATE TABLE secrets AS SELECT 1')
    await expect(alone.query('FROM secrets')).rejects.toMatchObject({ code: 'analytics_query_failed' })
    await alone.close()
  })

  it('reads and writes in the given directories only', async () => {
    const inside = join(files, 'a.parquet')
    await analytics.run(`COPY (SELECT 5 AS v) TO ${sqlString(inside)} (FORMAT parquet)`)
    expect(await one('SELECT v FROM read_parquet(?)', [inside])).toBe(5)
    await writeFile(join(root, 'secret'), 'secret')
    const refused = [
      `FROM read_text(${sqlString(join(root, 'secret'))})`,
      `FROM read_text(${sqlString(join(files, '..', 'secret'))})`,
      `COPY (SELECT 1) TO ${sqlString(join(root, 'out.parquet'))}`,
      `ATTACH ${sqlString(join(root, 'out.db'))}`,
      'SET enable_external_access = true',
      "SET allowed_directories = ['/']",
      "SET memory_limit = '100GB'",
      'INSTALL httpfs',
      "FROM read_csv('https://example.com/a.csv')",
    ]
    for (const sql of refused)
      await expect(analytics.query(sql), sql).rejects.toMatchObject({ code: 'analytics_query_failed' })
    expect((await readdir(root)).sort()).toEqual(['files', 'secret', 'temp'])
  })

  it('gives a child nothing of the environment', async () => {
    vi.stubEnv('PAVE_SECRET', 'secret')
    await works()
    const environment = readFileSync(`/proc/${await childRuns()}/environ`, 'utf8')
    expect(environment).not.toContain('secret')
    vi.unstubAllEnvs()
  })
})

describe('limits', () => {
  it('kills a query that runs too long', async () => {
    await works()
    const [pid = 0] = childrenOf(process.pid)
    await expect(analytics.query(endless, [], { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'analytics_timeout',
      status: 504,
      hint: expect.stringContaining('timeout'),
    })
    await vi.waitUntil(() => !isAlive(pid))
    await works()
  })

  it('fails a query that needs more memory than DuckDB may use', async () => {
    await expect(analytics.query('SELECT list(range) FROM range(100000000)')).rejects.toMatchObject({
      code: 'analytics_out_of_memory',
      hint: expect.stringContaining('memory limit'),
    })
    await works()
  })

  it('fails a query that takes memory which DuckDB does not count', async () => {
    await expect(analytics.query("SELECT length(repeat('x', 2000000000))")).rejects.toMatchObject({
      code: 'analytics_out_of_memory',
      message: expect.stringContaining('406 MiB'),
    })
    await works()
  })

  it('spills to disk, no more than allowed, and leaves nothing there', async () => {
    const sql = 'CREATE TABLE t AS SELECT hash(range) AS h FROM range(9000000); SELECT count(*) AS v FROM t'
    const small = await open({ memoryLimitMb: 60, maxTempMb: 1000 })
    expect((await small.query(sql)).rows).toEqual([{ v: 9_000_000 }])
    await small.close()
    const tight = await open({ memoryLimitMb: 60, maxTempMb: 1 })
    await expect(tight.query(sql)).rejects.toMatchObject({ code: 'analytics_out_of_memory' })
    await tight.close()
    expect(await readdir(tempDir)).toEqual([])
  })

  it('survives the death of a child, busy or idle', async () => {
    const running = analytics.query(endless)
    process.kill(await childRuns(), 'SIGKILL')
    await expect(running).rejects.toMatchObject({
      code: 'analytics_crashed',
      message: expect.stringContaining('SIGKILL'),
    })
    await works()
    const [idle = 0] = childrenOf(process.pid)
    process.kill(idle, 'SIGKILL')
    await vi.waitUntil(() => !isAlive(idle))
    await works()
  })

  it('leaves the event loop of its parent free', async () => {
    let turns = 0
    const counter = setInterval(() => turns++, 1)
    await expect(analytics.query(endless, [], { timeoutMs: 500 })).rejects.toMatchObject({ code: 'analytics_timeout' })
    clearInterval(counter)
    expect(turns).toBeGreaterThan(20)
  })

  it('runs as many queries at once as it has children, lets some wait in order and refuses the rest', async () => {
    const narrow = await open({ maxChildren: 1, maxQueued: 2 })
    const order: string[] = []
    const note = (name: string) => () => order.push(name)
    const first = narrow.query(endless, [], { timeoutMs: 300 }).catch(note('first'))
    const second = narrow.query('SELECT 2').then(note('second'))
    const third = narrow.query('SELECT 3').then(note('third'))
    await expect(narrow.query('SELECT 4')).rejects.toMatchObject({ code: 'analytics_busy', status: 503 })
    await Promise.all([first, second, third])
    expect(order).toEqual(['first', 'second', 'third'])
    await narrow.close()
  })

  it('stops when the caller no longer wants the answer, running or waiting', async () => {
    const narrow = await open({ maxChildren: 1 })
    const runs = new AbortController()
    const waits = new AbortController()
    const running = narrow.query(endless, [], { signal: runs.signal })
    const waiting = narrow.query(endless, [], { signal: waits.signal })
    waits.abort(new Error('left the queue'))
    await expect(waiting).rejects.toThrow('left the queue')
    await childRuns()
    runs.abort(new Error('left'))
    await expect(running).rejects.toThrow('left')
    await expect(narrow.query('SELECT 1', [], { signal: runs.signal })).rejects.toThrow('left')
    expect((await narrow.query('SELECT 1 AS v')).rows).toEqual([{ v: 1 }])
    await narrow.close()
  })
})

describe('life cycle', () => {
  it('ends what runs and what waits when it is closed', async () => {
    const closing = await open({ maxChildren: 1 })
    const queries = [closing.query(endless), closing.query(endless)]
    const pid = await childRuns()
    const settled = Promise.allSettled(queries)
    await closing.close()
    for (const { status, reason } of (await settled).map((outcome) => ({ reason: undefined, ...outcome }))) {
      expect(status).toBe('rejected')
      expect(reason).toMatchObject({ code: 'analytics_closed' })
    }
    await expect(closing.query('SELECT 1')).rejects.toMatchObject({ code: 'analytics_closed' })
    expect(isAlive(pid)).toBe(false)
  })

  it('lets no child outlive its parent', async () => {
    const program = `
      import { openAnalytics } from ${JSON.stringify(new URL('./duckdb.ts', import.meta.url).href)}
      const limits = { memoryLimitMb: 100, threads: 1, timeoutMs: 60000, maxChildren: 1 }
      const analytics = await openAnalytics({ tempDir: process.argv[1], directories: [], ...limits })
      analytics.query(${JSON.stringify(endless)})`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program, tempDir], { stdio: 'inherit' })
    const pid = await vi.waitUntil(() => childrenOf(parent.pid ?? 0)[0], { timeout: 10_000 })
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000 })
  })

  it('deletes what children spilled before they died with their parent', async () => {
    const gone = spawn(process.execPath, ['--eval', ''])
    await once(gone, 'exit')
    await mkdir(join(tempDir, `duckdb-${gone.pid}`))
    await mkdir(join(tempDir, `duckdb-${process.pid}`))
    await (await open()).close()
    expect(await readdir(tempDir)).toEqual([`duckdb-${process.pid}`])
  })
})
