import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { chooseDataDirectory, openDataDirectory } from './data-directory.ts'

let base: string
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'pave-test-'))
  await chmod(base, 0o711)
})
afterAll(() => rm(base, { recursive: true, force: true }))

/** Another process that holds the directory until it is killed. */
async function holdElsewhere(path: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      `import { openDataDirectory } from '#platform/data-directory.ts'
       await openDataDirectory(process.argv[1], { command: 'pave up' })
       for (let turn = 0; turn < 3; turn++) {
         await new Promise(setImmediate)
         globalThis.gc()
       }
       console.log('held')
       setInterval(() => {}, 1000)`,
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(createInterface(child.stdout), 'line')
  return child
}

describe('the lock', () => {
  test('makes a directory that others pass through without seeing it', async () => {
    const directory = await openDataDirectory(join(base, 'new', 'data'), { command: 'pave up' })
    for (const path of [join(base, 'new'), directory.path, directory.runDir])
      expect((await stat(path)).mode & 0o777).toBe(0o711)
    await directory.release()
  })

  test('is held by several that share it, or by one that does not', async () => {
    const path = join(base, 'shared')
    const one = await openDataDirectory(path, { command: 'pave server', shared: true })
    const two = await openDataDirectory(path, { command: 'pave worker', shared: true })
    const alone = () => openDataDirectory(path, { command: 'pave up' })
    await expect(alone()).rejects.toMatchObject({ code: 'data_directory_in_use' })
    await one.release()
    await expect(alone()).rejects.toMatchObject({ code: 'data_directory_in_use' })
    await two.release()
    const holder = await alone()
    await expect(openDataDirectory(path, { command: 'pave server', shared: true })).rejects.toMatchObject({
      code: 'data_directory_in_use',
    })
    await holder.release()
  })

  test('refuses a second process and names the first', async () => {
    const path = join(base, 'contested')
    const holder = await holdElsewhere(path)
    const refusal = openDataDirectory(path, { command: 'pave server' })
    await expect(refusal).rejects.toMatchObject({
      code: 'data_directory_in_use',
      message: expect.stringMatching(new RegExp(`by \`pave up\` \\(process ${holder.pid}, since 20..-.*Z\\)`)),
      hint: expect.stringContaining(`kill ${holder.pid}`),
      details: { pid: holder.pid, command: 'pave up', host: hostname() },
    })
  })

  test('is free as soon as its holder is killed, whatever the holder left behind', async () => {
    const path = join(base, 'killed')
    const holder = await holdElsewhere(path)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(await readdir(join(path, 'run'))).toContain('holder.json')
    const next = await openDataDirectory(path, { command: 'pave up' })
    await expect(openDataDirectory(path, { command: 'pave up' })).rejects.toMatchObject({
      details: { pid: process.pid },
    })
    await next.release()
  })

  test('is taken by exactly one of many', async () => {
    const path = join(base, 'race')
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => openDataDirectory(path, { command: 'pave up' })),
    )
    const winners = attempts.filter((attempt) => attempt.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    for (const { value } of winners) await value.release()
    const next = await openDataDirectory(path, { command: 'pave up' })
    await next.release()
  })

  test('says what is wrong with a path that is no directory', async () => {
    await writeFile(join(base, 'file'), '')
    for (const path of [join(base, 'file'), join(base, 'file', 'below')])
      await expect(openDataDirectory(path, { command: 'pave up' })).rejects.toMatchObject({
        code: 'data_directory_unwritable',
        message: expect.stringContaining(path),
      })
  })
})

describe('the choice', () => {
  const ordinary = { configured: undefined, cwd: '/home/ada/project', uid: 1000 }

  test('is .pave in the working directory', async () => {
    expect(await chooseDataDirectory(ordinary)).toBe('/home/ada/project/.pave')
    expect(await chooseDataDirectory({ ...ordinary, configured: 'here' })).toBe('/home/ada/project/here')
    expect(await chooseDataDirectory({ ...ordinary, cwd: base, uid: 0 })).toBe(join(base, '.pave'))
  })

  test('for root moves to /var/lib/pave when others could not reach it', async () => {
    const cwd = join(base, 'private', 'project')
    await mkdir(cwd, { recursive: true })
    await chmod(join(base, 'private'), 0o700)
    const chosen = await chooseDataDirectory({ configured: undefined, cwd, uid: 0 })
    expect(chosen).toMatch(/^\/var\/lib\/pave\/[0-9a-f]{12}$/)
    expect(await chooseDataDirectory({ configured: undefined, cwd, uid: 0 })).toBe(chosen)
    expect(await chooseDataDirectory({ configured: undefined, cwd, uid: 1000 })).toBe(join(cwd, '.pave'))
    await expect(chooseDataDirectory({ configured: join(cwd, 'data'), cwd: '/', uid: 0 })).rejects.toMatchObject({
      code: 'data_directory_untraversable',
      message: expect.stringContaining(`pass through ${join(base, 'private')},`),
      hint: expect.stringContaining(`chmod o+x ${join(base, 'private')}`),
    })
  })

  test('for root takes an empty private directory, which becomes passable, but no full one', async () => {
    const empty = join(base, 'empty')
    await mkdir(empty, { mode: 0o700 })
    expect(await chooseDataDirectory({ configured: empty, cwd: '/', uid: 0 })).toBe(empty)
    const opened = await openDataDirectory(empty, { command: 'pave up' })
    expect((await stat(empty)).mode & 0o777).toBe(0o711)
    await opened.release()

    const full = join(base, 'full')
    await mkdir(full, { mode: 0o700 })
    await writeFile(join(full, 'diary'), '')
    const choice = chooseDataDirectory({ configured: full, cwd: '/', uid: 0 })
    await expect(choice).rejects.toMatchObject({ code: 'data_directory_untraversable' })
  })
})
