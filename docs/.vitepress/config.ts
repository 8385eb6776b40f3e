import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const docs = join(import.meta.dirname, '..')

/** The pages of a folder in the order of their names, each called as its first heading says. */
function pagesOf(folder: string) {
  return readdirSync(join(docs, folder))
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => ({
      text: /^# (.+)$/m.exec(readFileSync(join(docs, folder, file), 'utf8'))?.[1] ?? file,
      link: `/${folder}/${file.replace('.md', '')}`,
    }))
}

const section = (text: string, folder: string, collapsed = false) => ({ text, collapsed, items: pagesOf(folder) })

export default defineConfig({
  title: 'Pave',
  description: 'The paved road for production machine learning',
  rewrites: { 'README.md': 'index.md' },
  outDir: '../dist/docs',
  cacheDir: '../node_modules/.cache/vitepress',
  themeConfig: {
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'How-to', link: pagesOf('how-to')[0]?.link ?? '/' },
      { text: 'Reference', link: '/reference/command-line' },
    ],
    sidebar: [
      { text: 'Start', items: [{ text: 'Tutorial', link: '/tutorial' }] },
      section('How to', 'how-to'),
      section('Explanation', 'explanation'),
      {
        ...section('Reference', 'reference'),
        items: [...pagesOf('reference'), section('Operations', 'reference/operations', true)],
      },
      section('Runbooks', 'runbooks', true),
      section('Decisions', 'decisions', true),
    ],
    search: { provider: 'local' },
    outline: [2, 3],
  },
})
