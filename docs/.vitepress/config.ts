import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const docs = join(import.meta.dirname, '..')
const icon = `data:image/svg+xml;base64,${readFileSync(join(docs, '../src/console/favicon.svg')).toString('base64')}`

const titleOf = (page: string) => /^# (.+)$/m.exec(readFileSync(join(docs, page), 'utf8'))?.[1] ?? page

/** The pages of a folder in the order of their names, each called as its first heading says. */
function pagesOf(folder: string) {
  return readdirSync(join(docs, folder))
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => ({
      text: titleOf(`${folder}/${file}`).replace('Operations: ', ''),
      link: `/${folder}/${file.replace('.md', '')}`,
    }))
}

/** The pages that a folder's README.md lists, section by section in its order. */
function listedPagesOf(folder: string) {
  const text = readFileSync(join(docs, folder, 'README.md'), 'utf8')
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      text: section.split('\n', 1)[0] ?? '',
      items: [...section.matchAll(/^- \[(.+?)\]\((.+?)\.md\)/gm)].map(([, text = '', page]) => ({
        text,
        link: `/${folder}/${page}`,
      })),
    }))
}

const section = (text: string, folder: string, collapsed = false) => ({ text, collapsed, items: pagesOf(folder) })

export default defineConfig({
  title: 'Pave',
  description: 'The paved road for production machine learning',
  head: [['link', { rel: 'icon', href: icon }]],
  srcExclude: ['README.md'],
  rewrites: { 'how-to/README.md': 'how-to/index.md', 'runbooks/README.md': 'runbooks/index.md' },
  outDir: '../dist/docs',
  cacheDir: '../node_modules/.cache/vitepress',
  lastUpdated: false,
  themeConfig: {
    logo: icon,
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'How-to', link: '/how-to/', activeMatch: '/how-to/' },
      { text: 'Reference', link: '/reference/command-line', activeMatch: '/reference/' },
      { text: 'Runbooks', link: '/runbooks/', activeMatch: '/runbooks/' },
    ],
    sidebar: [
      { text: 'Start', items: [{ text: 'Tutorial', link: '/tutorial' }] },
      { text: 'How to', collapsed: false, items: listedPagesOf('how-to') },
      section('Explanation', 'explanation'),
      {
        ...section('Reference', 'reference'),
        items: [...pagesOf('reference'), section('Operations', 'reference/operations', true)],
      },
      {
        text: 'Runbooks',
        link: '/runbooks/',
        collapsed: true,
        items: listedPagesOf('runbooks').flatMap((one) => one.items),
      },
      section('Decisions', 'decisions', true),
    ],
    search: { provider: 'local' },
    outline: [2, 3],
    footer: { message: 'Apache-2.0' },
  },
})
