import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { referencePages } from './reference/pages.ts'

// Writes the pages of docs/reference that follow from the code; a test fails where they differ from it.

const directory = join(import.meta.dirname, '..', 'docs', 'reference')
const pages = await referencePages()
for (const [name, text] of pages) {
  const file = join(directory, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  console.log(file)
}
for (const folder of ['schemas', 'operations']) {
  const names = (await readdir(join(directory, folder))).map((file) => `${folder}/${file}`)
  for (const name of names.filter((one) => !pages.has(one))) await rm(join(directory, name))
}
