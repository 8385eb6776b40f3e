import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const site = join(root, 'dist/docs')

/** Built as `npm run docs -- --build` builds it, which fails on a dead link. */
describe('the site', () => {
  beforeAll(() => promisify(execFile)(process.execPath, [join(root, 'bin/docs.ts'), '--build'], { cwd: root }), 600_000)

  it('has a page for every page of docs', async () => {
    const pages = (await readdir(join(root, 'docs'), { recursive: true })).filter((file) => file.endsWith('.md'))
    const built = await readdir(site, { recursive: true })
    const missing = pages
      .filter((file) => file !== 'README.md')
      .filter((file) => !built.includes(file.replace(/README\.md$/, 'index.md').replace(/\.md$/, '.html')))
    expect(pages.length).toBeGreaterThan(30)
    expect(missing).toEqual([])
  })

  it('lists every guide and runbook', async () => {
    for (const folder of ['how-to', 'runbooks']) {
      const list = await readFile(join(root, 'docs', folder, 'README.md'), 'utf8')
      const pages = (await readdir(join(root, 'docs', folder))).filter((file) => file !== 'README.md')
      expect(pages.filter((file) => !list.includes(`](${file})`))).toEqual([])
    }
  })

  it('points to parts of pages that are there', async () => {
    const pages = (await readdir(site, { recursive: true })).filter((file) => file.endsWith('.html'))
    const html = new Map(
      await Promise.all(pages.map(async (page) => [page, await readFile(join(site, page), 'utf8')] as const)),
    )
    const dead = [...html].flatMap(([page, text]) =>
      [...text.matchAll(/href="(\/[^"#]*|)#([^"]+)"/g)]
        .map(([, path = '', anchor = '']) => ({
          target: path === '' ? page : fileOf(path),
          anchor: decodeURIComponent(anchor),
        }))
        .filter(({ target, anchor }) => html.get(target)?.includes(`id="${anchor}"`) !== true)
        .map(({ target, anchor }) => `${page} → ${target}#${anchor}`),
    )
    expect([...new Set(dead)]).toEqual([])
  })
})

/** `/how-to/` is `how-to/index.html`. */
function fileOf(path: string): string {
  const file = path.slice(1)
  if (file === '' || file.endsWith('/')) return `${file}index.html`
  return file.endsWith('.html') ? file : `${file}.html`
}
