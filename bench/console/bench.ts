import pg from 'pg'
import { chromium } from 'playwright-core'
import { buildConsoleIfStale } from '#console/build.ts'
import { createSignInLink } from '#modules/identity/contract.ts'
import { putModel } from '#modules/registry/contract.ts'
import { search } from '#platform/kernel/contract.ts'
import { socketDirectoryOf, socketUrl } from '#platform/storage/database/embedded/socket-directory.ts'
import { findChromium } from '../../e2e/console/support/find-chromium.ts'
import { createPlace, startPave } from '../../e2e/support/start-pave.ts'
import { type Bench, type Measurement, median, time } from '../measurement.ts'

const models = 10_000
const rounds = 7
const most = 1_000
const mostSearch = 200

/** Loads of whole pages in a browser that has the console's files, with many models; each from navigation to the text. */
const pages = [
  { name: 'models, newest page', path: '/models', text: 'model-00049' },
  { name: 'models, found by name', path: '/models?search=09999', text: 'model-09999' },
  { name: 'models, by last change', path: '/models?order=changed', text: '50 models, and more' },
  { name: 'a model', path: '/models/model-05000', text: 'No version is registered yet' },
]

const bench: Bench = async (say) => {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('There is no Chromium (Debian: apt-get install chromium)')
  const cleanUps: Array<() => Promise<void>> = []
  try {
    say(`starting Pave with ${models} models`)
    await buildConsoleIfStale()
    const place = await createPlace((work) => void cleanUps.push(work))
    const { admin, stop } = await startPave(place)
    cleanUps.push(async () => void (await stop()))
    await admin.call(putModel, { model: 'model-00000', spec: { owner: 'ada', tier: 3, task: 'other' } })
    await copyModel(place.dataDir, 'model-00000', models - 1)
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    cleanUps.push(() => browser.close())
    const context = await browser.newContext({ baseURL: place.url, viewport: { width: 1280, height: 900 } })
    const { code } = await admin.call(createSignInLink, { principal: 'admin' })
    await context.request.post('/console/session', { data: { code } })
    const page = await context.newPage()
    const shown = async (path: string, text: string) => {
      const began = performance.now()
      await page.goto(path)
      await page.getByText(text).waitFor()
      return performance.now() - began
    }
    say('loading pages')
    const measurements: Measurement[] = []
    for (const { name, path, text } of pages) {
      await shown(path, text)
      const took: number[] = []
      for (let round = 0; round < rounds; round++) took.push(await shown(path, text))
      const ours = median(took)
      measurements.push({ name, unit: 'ms', ours, limit: { text: `at most ${most} ms`, met: ours <= most } })
    }
    for (const text of ['model-09999', 'e', 'no such thing']) {
      const took = await time(20, () => admin.call(search, { text }))
      const limit = { text: `at most ${mostSearch} ms`, met: took.wall <= mostSearch }
      measurements.push({ name: `search for ${text}`, unit: 'ms', ours: took.wall, limit })
    }
    return measurements
  } finally {
    for (const work of cleanUps.reverse()) await work()
  }
}

/** One operation at a time would take minutes. */
async function copyModel(dataDir: string, model: string, times: number): Promise<void> {
  const client = new pg.Client(socketUrl(socketDirectoryOf(dataDir).directory, 'postgres'))
  await client.connect()
  try {
    await client.query(`select set_config('app.operation', 'bench', false)`)
    await client.query(
      `insert into registry.model (workspace, name, spec, created_at, changed_at)
       select workspace, 'model-' || lpad(n::text, 5, '0'), spec, created_at, changed_at - n * interval '1 s'
       from registry.model, generate_series(1, $2) n where name = $1`,
      [model, times],
    )
  } finally {
    await client.end()
  }
}

export default bench
