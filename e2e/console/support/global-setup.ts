import { rm } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { buildConsoleIfStale } from '#console/build.ts'
import { createPlace, startPave } from '../../support/start-pave.ts'
import { copyDirectory, demoData } from './demo-data.ts'
import { findChromium } from './find-chromium.ts'

/** What the tests of the console share: one browser, and one Pave with the data of a finished demo. */
export interface Stage {
  browser: string
  url: string
  inferenceUrl: string
  dataDir: string
  adminToken: string
}

declare module 'vitest' {
  interface ProvidedContext {
    stage: Stage | { missing: string }
  }
}

export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    const missing = 'there is no Chromium on this machine (Debian: apt-get install chromium)'
    if (process.env['CI'] === 'true') throw new Error(missing)
    process.stderr.write(`skipped: ${missing}\n`)
    project.provide('stage', { missing })
    return async () => {}
  }
  await buildConsoleIfStale()
  const data = await demoData()
  const cleanUps: Array<() => Promise<void>> = []
  const place = await createPlace((work) => cleanUps.push(work))
  await rm(place.dataDir, { recursive: true })
  await copyDirectory(data, place.dataDir)
  // Webhooks are received on this machine.
  place.env['PAVE_EGRESS_ALLOW'] = '127.0.0.1'
  const pave = await startPave(place)
  const browser = await chromium.launchServer({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--font-render-hinting=none'],
  })
  project.provide('stage', {
    browser: browser.wsEndpoint(),
    url: place.url,
    inferenceUrl: place.inferenceUrl,
    dataDir: place.dataDir,
    adminToken: pave.token,
  })
  return async () => {
    await browser.close()
    await pave.stop()
    for (const work of cleanUps) await work()
  }
}
